package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"pqjoin/batch"
	"pqjoin/expr"
	"pqjoin/hashjoin"
	"pqjoin/plan"
)

// RuleState is what became of a rule.
type RuleState string

// The states of a rule.
const (
	RulePassed     RuleState = "passed"
	RuleFailed     RuleState = "failed"
	RuleWarned     RuleState = "warned" // it failed, and on_fail: warn lets the run go on
	RuleNotReached RuleState = "not reached"
)

// Rule is one thing that the job says of its data, of a check verb, a unique index or a join's validate, and what became of it.
type Rule struct {
	Table   string    `json:"table"`
	Line    int       `json:"line"` // of the verb, in the job file
	Rule    string    `json:"rule"` // not_null price; expect price > 0; validate m:1 on sym
	State   RuleState `json:"state"`
	Rows    int64     `json:"rows"`              // that break it, as far as they were counted; of a rule about rows: how many there are
	Samples []string  `json:"samples,omitempty"` // of such rows, the first ones; of a validate, its sentence
}

// ruleBook holds the rules of a run in the order of its plan. It is of that plan: a rewriting that numbers nodes anew needs another.
type ruleBook struct {
	mu    sync.Mutex
	rules []Rule
	nodes []int  // of each rule: the ID of its node
	told  []bool // of each rule: the user has been warned
}

func newRuleBook(p *plan.Plan) *ruleBook {
	b := &ruleBook{}
	for _, n := range p.Nodes {
		for _, text := range rulesOf(n) {
			b.rules = append(b.rules, Rule{Table: n.Table, Line: n.Pos.Line, Rule: text, State: RuleNotReached})
			b.nodes, b.told = append(b.nodes, n.ID), append(b.told, false)
		}
	}
	return b
}

// rulesOf returns the texts of a node's rules.
func rulesOf(n *plan.Node) (texts []string) {
	switch op := n.Op.(type) {
	case *plan.Index:
		if op.Unique {
			texts = append(texts, uniqueRule(n.Schema, batch.KeyPositions(op.Keys)))
		}
	case *plan.Join:
		if validates(op) {
			texts = append(texts, validateRule(n, op))
		}
	case *plan.Check:
		if op.MinRows > 0 || op.MaxRows >= 0 {
			texts = append(texts, rowsRule(op))
		}
		for _, c := range op.NotNull {
			texts = append(texts, notNullRule(n.Schema, c))
		}
		for _, e := range op.Expect {
			texts = append(texts, expectRule(e))
		}
		if len(op.Unique) > 0 {
			texts = append(texts, uniqueRule(n.Schema, op.Unique))
		}
	}
	return texts
}

func notNullRule(s *batch.Schema, column int) string { return "not_null " + s.Fields[column].Name }
func expectRule(e *expr.Bound) string                { return "expect " + e.String() }
func uniqueRule(s *batch.Schema, columns []int) string {
	return "unique " + strings.Join(s.Select(columns).Names(), ", ")
}

func rowsRule(op *plan.Check) string {
	if op.MaxRows >= 0 {
		return fmt.Sprintf("rows between %d and %d", op.MinRows, op.MaxRows)
	}
	return fmt.Sprintf("rows at least %d", op.MinRows)
}

func validateRule(n *plan.Node, op *plan.Join) string {
	return fmt.Sprintf("validate %s on %s", op.Validate, names(n.Inputs[0].Schema, op.LeftKeys))
}

// settle records what became of those rules of a node that are among the given texts. It returns
// those failures that nobody was warned of before, which counts as done.
func (b *ruleBook) settle(node int, texts []string, failures []CheckFailure, warn bool) (untold []CheckFailure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.rules {
		r := &b.rules[i]
		if b.nodes[i] != node || !slices.Contains(texts, r.Rule) {
			continue
		}
		r.State = RulePassed
		for _, f := range failures {
			if f.Rule != r.Rule {
				continue
			}
			r.State, r.Rows, r.Samples = RuleFailed, f.Rows, f.Samples
			if warn {
				r.State = RuleWarned
			}
			if !b.told[i] {
				b.told[i] = true
				untold = append(untold, f)
			}
		}
	}
	return untold
}

// joined records that the rules of all joins have passed: every output is written.
func (b *ruleBook) joined(p *plan.Plan) {
	for _, n := range p.Nodes {
		if op, ok := n.Op.(*plan.Join); ok && validates(op) {
			b.settle(n.ID, []string{validateRule(n, op)}, nil, false)
		}
	}
}

// broken records the rule of the join that ended the run with err, if one did.
func (b *ruleBook) broken(p *plan.Plan, err error) {
	var e *hashjoin.ValidateError
	if !errors.As(err, &e) {
		return
	}
	for _, n := range p.Nodes {
		if op, ok := n.Op.(*plan.Join); ok && n.ID == e.ID && validates(op) {
			text := validateRule(n, op)
			f := CheckFailure{Rule: text, Rows: max(e.Left, e.Right), Samples: []string{e.Error()}}
			b.settle(n.ID, []string{text}, []CheckFailure{f}, false)
		}
	}
}

// Rules returns what the job says of its data, in the order of the plan, and, during and after Execute, what became of it.
func (r *Run) Rules() []Rule {
	r.rules.mu.Lock()
	defer r.rules.mu.Unlock()
	rules := slices.Clone(r.rules.rules)
	for i := range rules {
		rule := &rules[i]
		rule.Table, rule.Rule, rule.Samples = r.job.Redact(rule.Table), r.job.Redact(rule.Rule), cleaned(rule.Samples, r.job.Redact)
	}
	return rules
}

// verdict returns what happens when the rules of a node with the given texts are settled: failures are an error, or a warning.
func (x *exec) verdict(n *plan.Node, warn bool, texts ...string) func([]CheckFailure) error {
	return func(failures []CheckFailure) error {
		untold := x.run.rules.settle(n.ID, texts, failures, warn)
		switch {
		case len(failures) == 0:
			return nil
		case !warn:
			return x.failed(n, &CheckError{Table: n.Table, Failures: failures})
		case len(untold) > 0:
			x.run.cfg.Warn((&CheckError{Table: n.Table, Failures: untold}).Error())
		}
		return nil
	}
}
