package plan

// collect sets Nodes to the nodes that the outputs need, inputs first, and numbers them.
func (p *Plan) collect() {
	p.Nodes = nil
	seen := map[*Node]bool{}
	var visit func(n *Node)
	visit = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, in := range n.Inputs {
			visit(in)
		}
		n.ID = len(p.Nodes)
		p.Nodes = append(p.Nodes, n)
	}
	for _, out := range p.Outputs {
		visit(out.Node)
	}
}

// readers counts who reads each node: nodes and outputs.
func (p *Plan) readers() map[*Node]int {
	count := map[*Node]int{}
	for _, n := range p.Nodes {
		for _, in := range n.Inputs {
			count[in]++
		}
	}
	for _, out := range p.Outputs {
		count[out.Node]++
	}
	return count
}

// replace makes everybody who reads a node of old read its replacement.
func (p *Plan) replace(by map[*Node]*Node) {
	for _, n := range p.Nodes {
		for i, in := range n.Inputs {
			if r := by[in]; r != nil {
				n.Inputs[i] = r
			}
		}
	}
	for _, out := range p.Outputs {
		if r := by[out.Node]; r != nil {
			out.Node = r
		}
	}
}
