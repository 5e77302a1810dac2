package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// named is a file without rows that has columns of these names.
func named(t *testing.T, names ...string) []byte {
	t.Helper()
	meta := format.FileMetaData{Version: 1, Schema: []format.SchemaElement{{Name: "schema", NumChildren: thrift.New(int32(len(names)))}}}
	for _, name := range names {
		meta.Schema = append(meta.Schema, format.SchemaElement{Name: name, Type: thrift.New(format.Int64), RepetitionType: thrift.New(format.Optional)})
	}
	footer := marshal(t, &meta)
	out := append([]byte("PAR1"), footer...)
	return append(binary.LittleEndian.AppendUint32(out, uint32(len(footer))), "PAR1"...)
}

func TestTwoColumnsOfOneNameAreRefused(t *testing.T) {
	_, err := Open(t.Context(), bytesFS{b: named(t, "a", "twice", "b", "twice")}, "bytes")
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), `"twice"`) || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("got %v", err)
	}
}

func TestNamesAreCaseSensitive(t *testing.T) {
	names := []string{"a", "A", "Straße", "STRASSE", "", " a", "\xff\xfe"}
	f, err := Open(t.Context(), bytesFS{b: bytes.Clone(named(t, names...))}, "bytes")
	if err != nil {
		t.Fatal(err)
	}
	for i, field := range f.Schema().Fields {
		if field.Name != names[i] {
			t.Errorf("column %d is %q, not %q", i, field.Name, names[i])
		}
	}
}
