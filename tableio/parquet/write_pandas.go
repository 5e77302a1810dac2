package parquet

import (
	"encoding/json"
	"fmt"

	"pqjoin/batch"
)

// pandasColumn describes a column, as pandas' metadata does.
type pandasColumn struct {
	Name       string         `json:"name"`
	FieldName  string         `json:"field_name"`
	PandasType string         `json:"pandas_type"`
	NumpyType  string         `json:"numpy_type"`
	Metadata   map[string]any `json:"metadata"`
}

// pandasMetadata returns the value of the key "pandas" of a table that is sorted by keys: pandas and Dask then take the leading
// column for the index. They take one, because Dask knows the divisions of an index of several columns no more than pandas
// sorts by it. See https://pandas.pydata.org/docs/development/developer.html.
func pandasMetadata(s *batch.Schema, keys []batch.SortKey, version string) (KeyValue, error) {
	meta := struct {
		IndexColumns  []string       `json:"index_columns"`
		ColumnIndexes []string       `json:"column_indexes"`
		Columns       []pandasColumn `json:"columns"`
		Creator       struct {
			Library string `json:"library"`
			Version string `json:"version"`
		} `json:"creator"`
		PandasVersion string `json:"pandas_version"`
	}{IndexColumns: []string{s.Fields[keys[0].Column].Name}, ColumnIndexes: []string{}, Columns: []pandasColumn{}, PandasVersion: "2.2.0"}
	meta.Creator.Library, meta.Creator.Version = "pqjoin", version
	for i, f := range s.Fields {
		if f.Type.ID == batch.Nested {
			continue
		}
		if i != keys[0].Column && f.Nullable && (f.Type.IsInteger() || f.Type.ID == batch.Bool) {
			continue // nulls have no place in their NumPy type; readers find a type that has
		}
		c := pandasColumn{Name: f.Name, FieldName: f.Name}
		c.PandasType, c.NumpyType, c.Metadata = pandasType(f.Type)
		meta.Columns = append(meta.Columns, c)
	}
	b, err := json.Marshal(meta)
	return KeyValue{"pandas", string(b)}, err
}

// pandasType returns a type's names, and what they leave out.
func pandasType(t batch.Type) (pandas, numpy string, more map[string]any) {
	switch {
	case t.IsInteger() || t.IsFloat() || t.ID == batch.Bool:
		return t.String(), t.String(), nil
	case t.ID == batch.String:
		return "unicode", "object", nil
	case t.ID == batch.Date:
		return "date", "object", nil
	case t.ID == batch.Time:
		return "time", "object", nil
	case t.ID == batch.Decimal:
		return "decimal", "object", map[string]any{"precision": t.Prec, "scale": t.Scale}
	case t.ID == batch.Timestamp:
		unit := map[batch.Unit]string{batch.Second: "ms", batch.Milli: "ms", batch.Micro: "us", batch.Nano: "ns"}[t.Unit]
		if t.UTC {
			return "datetimetz", fmt.Sprintf("datetime64[%s, UTC]", unit), map[string]any{"timezone": "UTC"}
		}
		return "datetime", fmt.Sprintf("datetime64[%s]", unit), nil
	}
	return "bytes", "object", nil
}
