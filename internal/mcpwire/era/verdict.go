package era

import "sluice/internal/mcpwire"

// Era is the era the upstream was found to speak; 0 while nobody has asked.
func (a *adapter) Era() mcpwire.Era {
	if a.opt.Force != 0 {
		return a.opt.Force
	}
	switch v := a.probe.known.Load(); {
	case v == nil:
		return 0
	case v.modern:
		return mcpwire.Modern
	default:
		return mcpwire.Legacy
	}
}
