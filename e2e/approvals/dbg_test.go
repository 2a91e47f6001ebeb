package approvals
import "testing"
import "github.com/modelcontextprotocol/go-sdk/mcp"
import "sluice/internal/testkit/mcptest"
func TestDbg(t *testing.T) {
	s := mcptest.NewServer(t, "offer")
	a := connect(t, s.URL, legacy, "", opensPages(func(*mcp.ElicitParams) string { return "accept" }))
	a.call("offer", "{}")
	for _, r := range s.All() { t.Log(r.Method, r.Body) }
}
