package expr_test

import (
	"errors"
	"strings"
	"testing"

	"pqjoin/batch"
	"pqjoin/expr"
)

// What pandas, numpy and other dialects write is answered with what is written here.
func TestWordsOfOtherLanguagesAreAnsweredWithOurs(t *testing.T) {
	schema := batch.NewSchema(
		batch.Field{Name: "px", Type: batch.Of(batch.Float64)},
		batch.Field{Name: "sym", Type: batch.Of(batch.String)},
		batch.Field{Name: "raw", Type: batch.Of(batch.Binary)},
		batch.Field{Name: "day", Type: batch.Of(batch.Date)},
		batch.Field{Name: "tags", Type: batch.Of(batch.Nested)},
	)
	for text, want := range map[string]string{
		`sym = "New York"`:                     "no column is called New York (a text is written in single quotes, double ones are for names of columns; the columns are px, sym, raw, day, tags)",
		`sym = "dya"`:                          "double ones are for names of columns; did you mean day?",
		"sym = wxyz":                           "no column is called wxyz (the columns are px,",
		"np.ln(px)":                            "unexpected '.' (functions have no module before them: write ln(...))",
		"np.where(px > 1, 1, 2)":               "functions have no module before them; write if(condition, x, y)",
		"pd.frobnicate(px)":                    "unexpected '.' (functions have no module before them)",
		"px.isna()":                            "there are no methods: write x is null",
		"sym.str.contains('a')":                "there are no methods: functions take all values in parentheses",
		"df.px > 1":                            "columns have no table before them and no fields: write px alone",
		"df[px]":                               "unexpected [ (a column is written by its name alone",
		"fillna(px, 0)":                        "no function is called fillna (write coalesce(x, 0)",
		"isna(px)":                             "write x is null",
		"notnull(px)":                          "write x is not null",
		"astype(px, 'int64')":                  "write cast(x as float64)",
		"to_datetime(sym)":                     "write cast(x as timestamp), or strptime(x,",
		"list(px)":                             "aggregates belong in agg of groupby",
		"length(tags)":                         "length needs a string, not nested (nested columns are carried along, not computed with)",
		"tags = 1":                             "do not go together in = (nested columns are carried along, not computed with)",
		"tags + 1":                             "not nested and int32 (nested columns",
		"year(tags)":                           "not nested (nested columns",
		"not tags":                             "x is not null is a condition; nested columns",
		"tags & 1":                             "not nested (nested columns",
		"cast(tags as string)":                 "nested cannot be cast to string (nested columns",
		"length(raw)":                          "length needs a string, not binary (decode(x) reads bytes as UTF-8",
		"year(px)":                             "year needs a date or a timestamp, not float64",
		"day > 20240101":                       "date and int32 do not go together in > (write date '2024-01-31'",
		"day > sym":                            "cast one of them",
		"case when true then tags end is null": "",
	} {
		tree, err := expr.Parse(text)
		if err == nil {
			_, err = expr.Bind(tree, schema)
		}
		var e *expr.Error
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
		} else if !errors.As(err, &e) || !strings.Contains(e.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := expr.Parse("a.b.c"); err == nil || strings.Contains(err.Error(), "cast(") {
		t.Errorf("a.b.c: %v", err)
	}
}

// A hint must not advise a cast that is refused itself.
func TestNoHintAdvisesACastThatThereIsNot(t *testing.T) {
	schema := batch.NewSchema(batch.Field{Name: "tags", Type: batch.Of(batch.Nested)}, batch.Field{Name: "raw", Type: batch.Of(batch.Binary)})
	for _, text := range []string{"upper(tags)", "upper(raw)", "tags || 'x'", "tags like 'x'", "tags in (1)", "coalesce(tags, 1)", "year(tags)", "year(raw)",
		"gcd(tags, 1)", "lpad('a', 1, tags)", "date_add('day', tags, timestamp '2024-01-01 00:00:00')", "tags + interval '1 day'", "abs(tags)", "tags is true"} {
		tree, err := expr.Parse(text)
		if err == nil {
			_, err = expr.Bind(tree, schema)
		}
		if err == nil || strings.Contains(err.Error(), "cast") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
