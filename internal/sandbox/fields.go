package sandbox

import "sluice/internal/sandbox/world"

// choose picks the selected members out of a tree of maps and lists; a member
// that does not exist is refused under the name of its node type.
func choose(tree any, wanted []world.Selection, typeName string) (any, *apiError) {
	if len(wanted) == 0 {
		return tree, nil
	}
	switch t := tree.(type) {
	case []map[string]any:
		out := make([]any, 0, len(t))
		for _, item := range t {
			v, err := choose(item, wanted, typeName)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case map[string]any:
		out := map[string]any{}
		for _, w := range wanted {
			v, exists := t[w.Name]
			if !exists {
				return nil, errNoField.with("field", w.Name, "type", typeName)
			}
			chosen, err := choose(v, w.Sub, typeName)
			if err != nil {
				return nil, err
			}
			out[w.Name] = chosen
		}
		return out, nil
	}
	return tree, nil
}
