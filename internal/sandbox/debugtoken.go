package sandbox

import (
	"slices"

	"sluice/internal/sandbox/world"
)

// debugToken answers GET /debug_token: what a token is, never the token.
func (s *Server) debugToken(r *request) (any, *apiError) {
	input := r.param("input_token")
	if input == "" {
		return nil, errParam.with("what", "The parameter input_token is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tok, err := s.world.verify(input, r.now)
	if tok == nil && err.row == errTokenInvalid {
		return debugData(map[string]any{"is_valid": false, "scopes": []string{}, "error": debugError(err)}), nil
	}
	known := s.world.find(input)
	data := map[string]any{
		"app_id": App, "type": known.kind, "application": s.world.Get(App).Str("name"), "is_valid": err == nil,
		"expires_at": 0, "data_access_expires_at": 0, "scopes": slices.Clone(known.scopes), "granular_scopes": s.granular(known),
	}
	switch known.kind {
	case world.KindApp:
	case world.KindPage:
		data["user_id"], data["profile_id"] = SystemUser, known.page
	default:
		data["user_id"] = known.me()
	}
	if !known.expires.IsZero() {
		data["expires_at"] = known.expires.Unix()
	}
	if err != nil {
		data["error"] = debugError(err)
	}
	return debugData(data), nil
}

func debugData(data map[string]any) map[string]any { return map[string]any{"data": data} }

func debugError(err *apiError) map[string]any {
	out := map[string]any{"code": err.row.Code, "message": err.fill(err.row.Message)}
	if err.row.Subcode != 0 {
		out["subcode"] = err.row.Subcode
	}
	return out
}

// granular lists the objects behind each scope. The caller holds mu.
func (s *Server) granular(t *token) []map[string]any {
	out := []map[string]any{}
	for _, scope := range t.scopes {
		entry := map[string]any{"scope": scope}
		if t.objects != nil {
			entry["target_ids"] = t.objects
		}
		out = append(out, entry)
	}
	return out
}
