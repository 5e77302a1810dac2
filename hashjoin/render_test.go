package hashjoin

import (
	"testing"

	"pqjoin/batch"
	"pqjoin/batch/batchtest"
)

func TestMessagesNameFloatKeysByTheirShortestText(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "f", Type: batch.Of(batch.Float32)}, batch.Field{Name: "d", Type: batch.Of(batch.Float64)})
	b, err := batchtest.Batch(nil, schema, [][]any{{float64(float32(0.1)), 1e6}}, func(int) batchtest.Layout { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	if f, d := render(b.Cols[0], 0), render(b.Cols[1], 0); f != "0.1" || d != "1000000" {
		t.Errorf("0.1 and a million are %s and %s", f, d)
	}
}
