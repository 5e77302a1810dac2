package nested

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"pqjoin/batch"
)

// Parse reads the canonical text of a type.
func Parse(shape string) (*Type, error) {
	p := parser{s: shape}
	t, err := p.typ(1)
	if err == nil && p.s != "" {
		err = errors.New("something follows it")
	}
	if err != nil {
		return nil, fmt.Errorf("the nested type %q: %w", shape, err)
	}
	return t, nil
}

type parser struct{ s string }

func (p *parser) eat(prefix string) (ok bool) {
	p.s, ok = strings.CutPrefix(p.s, prefix)
	return ok
}

func (p *parser) typ(depth int) (*Type, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("more than %d levels", MaxDepth)
	}
	t := &Type{}
	var err error
	switch {
	case p.eat("list<"):
		t.Kind = List
		err = p.field(t, "", depth)
	case p.eat("map<"):
		t.Kind = Map
		if err = p.field(t, "", depth); err == nil {
			t.Fields[0].Nullable = false
			if !p.eat(", ") {
				return nil, errors.New("a map without values")
			}
			err = p.field(t, "", depth)
		}
	case p.eat("struct<"):
		t.Kind = Struct
		err = p.fields(t, depth)
	default:
		t.Leaf, err = p.leaf()
		return t, err
	}
	if err == nil && !p.eat(">") {
		err = errors.New("there is no > at its end")
	}
	return t, err
}

func (p *parser) fields(t *Type, depth int) error {
	for {
		name, err := p.name()
		if err != nil {
			return err
		}
		if !p.eat(": ") {
			return fmt.Errorf("field %q has no type", name)
		}
		if err := p.field(t, name, depth); err != nil {
			return err
		}
		if !p.eat(", ") {
			return nil
		}
	}
}

func (p *parser) field(t *Type, name string, depth int) error {
	ft, err := p.typ(depth + 1)
	if err != nil {
		return err
	}
	t.Fields = append(t.Fields, Field{Name: name, Type: ft, Nullable: !p.eat(" not null")})
	return nil
}

func (p *parser) name() (string, error) {
	if strings.HasPrefix(p.s, `"`) {
		q, err := strconv.QuotedPrefix(p.s)
		if err != nil {
			return "", errors.New("a name without its closing quote")
		}
		p.s = p.s[len(q):]
		return strconv.Unquote(q)
	}
	n := 0
	for n < len(p.s) && plain(p.s[n]) {
		n++
	}
	name := p.s[:n]
	p.s = p.s[n:]
	if n == 0 {
		return "", errors.New("a field without a name")
	}
	return name, nil
}

var leafNames = map[string]batch.TypeID{
	"bool": batch.Bool, "int8": batch.Int8, "int16": batch.Int16, "int32": batch.Int32, "int64": batch.Int64,
	"uint8": batch.Uint8, "uint16": batch.Uint16, "uint32": batch.Uint32, "uint64": batch.Uint64,
	"float16": batch.Float16, "float32": batch.Float32, "float64": batch.Float64, "decimal": batch.Decimal,
	"string": batch.String, "binary": batch.Binary, "fixed": batch.Fixed, "uuid": batch.UUID,
	"date": batch.Date, "time": batch.Time, "timestamp": batch.Timestamp,
}

var unitNames = map[string]batch.Unit{"ms": batch.Milli, "us": batch.Micro, "ns": batch.Nano, "s": batch.Second}

func (p *parser) leaf() (batch.Type, error) {
	name, err := p.name()
	if err != nil {
		return batch.Type{}, errors.New("a type is missing")
	}
	id, ok := leafNames[name]
	if !ok {
		return batch.Type{}, fmt.Errorf("there is no type %q", name)
	}
	t := batch.Of(id)
	switch id {
	case batch.Decimal, batch.Fixed, batch.Time, batch.Timestamp:
		args, rest, ok := strings.Cut(p.s, ")")
		if !ok || !strings.HasPrefix(args, "(") {
			return t, fmt.Errorf("%s without its parameters", name)
		}
		p.s = rest
		if err := parameters(&t, strings.Split(args[1:], ", ")); err != nil {
			return t, err
		}
	}
	return t, nil
}

func parameters(t *batch.Type, args []string) error {
	number := func(i, least, most int) int {
		if i >= len(args) {
			return -1
		}
		n, err := strconv.Atoi(args[i])
		if err != nil || n < least || n > most {
			return -1
		}
		return n
	}
	ok := len(args) == 1
	switch t.ID {
	case batch.Decimal:
		prec, scale := number(0, 1, 38), number(1, 0, 38)
		ok = len(args) == 2 && prec > 0 && scale >= 0
		*t = batch.DecimalOf(max(prec, 0), max(scale, 0))
	case batch.Fixed:
		width := number(0, 1, 1<<16-1)
		ok = ok && width > 0
		t.Width = uint16(max(width, 0))
	default:
		t.Unit = unitNames[args[0]]
		t.UTC = len(args) == 2 && args[1] == "utc"
		ok = (ok || t.UTC) && t.Unit != 0
	}
	if !ok {
		return fmt.Errorf("%s(%s) is no type", batch.Of(t.ID), strings.Join(args, ", "))
	}
	return nil
}
