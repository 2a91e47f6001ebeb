package mcpserver

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// MetaError is where the machine-readable form of a failure stands in a result's _meta.
const MetaError = "sluice/error"

// result writes a tool's answer as MCP has it. A failure is a result with isError, so
// that the agent reads it; its code and facts stand in _meta as well.
func result(r *tool.Result) map[string]any {
	content := []map[string]any{{"type": "text", "text": r.Text}}
	for _, i := range r.Images {
		content = append(content, map[string]any{
			"type": "image", "mimeType": "image/png", "data": base64.StdEncoding.EncodeToString(i.PNG),
		})
	}
	out := map[string]any{"content": content, "isError": r.Fault != nil}
	if len(r.Structured) > 0 {
		out["structuredContent"] = r.Structured
	}
	if f := r.Fault; f != nil {
		out["_meta"] = map[string]any{MetaError: failure(f)}
	}
	return out
}

func failure(f *fault.Error) map[string]any {
	row := fault.Lookup(f.Code)
	fix := f.Fix
	if fix == "" {
		fix = row.Fix
	}
	e := map[string]any{"code": f.Code, "message": f.Message, "fix": fix, "retryable": row.Retryable}
	if f.RetryAfter > 0 {
		e["retry_after_s"] = f.RetryAfter
	}
	if len(f.Details) > 0 {
		e["details"] = f.Details
	}
	return e
}

// encode is JSON with < and > as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
