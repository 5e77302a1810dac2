package plan

func rewritePlan(p *Plan) (*Plan, error) {
	p.collect()
	return p, nil
}
