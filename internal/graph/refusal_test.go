package graph_test

import (
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphspec"
)

func TestRefusalsBecomeFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer string // status and body
		write  bool
		code   fault.Code
		class  graphspec.Class
	}{
		"bad parameter":                   {`400 {"error":{"code":100,"message":"(#100) x"}}`, true, fault.MetaRefused, graphspec.ClassInput},
		"no object":                       {`400 {"error":{"code":100,"error_subcode":33}}`, false, fault.ObjectNotFound, graphspec.ClassInput},
		"no alias":                        {`404 {"error":{"code":803}}`, false, fault.ObjectNotFound, graphspec.ClassInput},
		"expired token":                   {`401 {"error":{"code":190,"error_subcode":463}}`, false, fault.ConnectorExpired, graphspec.ClassAuth},
		"session":                         {`401 {"error":{"code":102}}`, false, fault.ConnectorExpired, graphspec.ClassAuth},
		"capability":                      {`400 {"error":{"code":3}}`, false, fault.ScopeMissing, graphspec.ClassPermission},
		"permission":                      {`403 {"error":{"code":10}}`, true, fault.ScopeMissing, graphspec.ClassPermission},
		"permission by range":             {`403 {"error":{"code":278}}`, true, fault.ScopeMissing, graphspec.ClassPermission},
		"window, for subcode beats code":  {`400 {"error":{"code":10,"error_subcode":2018278}}`, true, fault.WindowClosed, graphspec.ClassWindow},
		"subcode under another code":      {`400 {"error":{"code":100,"error_subcode":2018278}}`, true, fault.WindowClosed, graphspec.ClassWindow},
		"app limit":                       {`400 {"error":{"code":4,"is_transient":true}}`, true, fault.RateLimited, graphspec.ClassAppRate},
		"account limit":                   {`400 {"error":{"code":17,"error_subcode":2446079}}`, true, fault.RateLimited, graphspec.ClassAssetRate},
		"business use case":               {`400 {"error":{"code":80004}}`, true, fault.RateLimited, graphspec.ClassAssetRate},
		"too many requests, unknown code": {`429 {"error":{"code":77777}}`, true, fault.RateLimited, graphspec.ClassAppRate},
		"not ready":                       {`400 {"error":{"code":9007,"error_subcode":2207027}}`, true, fault.NotReady, graphspec.ClassNotReady},
		"too big":                         {`400 {"error":{"code":100,"error_subcode":1487534}}`, false, fault.TooMuchData, graphspec.ClassTooBig},
		"too big, told in words":          {`500 {"error":{"code":1,"message":"Please reduce the amount of data you're asking for, then retry your request"}}`, false, fault.TooMuchData, graphspec.ClassTooBig},
		"removed":                         {`400 {"error":{"code":12}}`, false, fault.Unsupported, graphspec.ClassGone},
		"version":                         {`400 {"error":{"code":2635}}`, false, fault.VersionEnded, graphspec.ClassVersion},
		"policy":                          {`400 {"error":{"code":368}}`, true, fault.MetaPolicy, graphspec.ClassPolicy},
		"duplicate":                       {`400 {"error":{"code":506}}`, true, fault.DoneAlready, graphspec.ClassDuplicate},
		"passing":                         {`500 {"error":{"code":2,"is_transient":true}}`, false, fault.MetaUnavailable, graphspec.ClassTransient},
		"unknown, but said to be passing": {`400 {"error":{"code":77777,"is_transient":true}}`, true, fault.MetaUnavailable, graphspec.ClassTransient},
		"unknown with 5xx":                {`503 {"error":{"code":77777}}`, false, fault.MetaUnavailable, graphspec.ClassTransient},
		"unknown with 4xx":                {`400 {"error":{"code":77777}}`, true, fault.MetaRefused, graphspec.ClassInput},
		"an error under 200":              {`200 {"error":{"code":100}}`, false, fault.MetaRefused, graphspec.ClassInput},
		"an error of odd types":           {`400 {"error":{"code":"x"}}`, false, fault.MetaRefused, graphspec.ClassInput},
		"a write that did nothing":        {`200 {"success":false}`, true, fault.MetaRefused, graphspec.ClassInput},
		"a write that failed on the way":  {`500 {"error":{"code":2,"is_transient":true}}`, true, fault.CallUnknown, graphspec.ClassTransient},
		"a write, and an unknown error":   {`400 {"error":{"code":1}}`, true, fault.CallUnknown, graphspec.ClassTransient},
		"a page of a proxy":               {`502 <html>bad gateway</html>`, false, fault.MetaUnavailable, graphspec.ClassTransient},
		"a page of a proxy, for a write":  {`502 <html>bad gateway</html>`, true, fault.CallUnknown, graphspec.ClassTransient},
		"nothing, for a write":            {`200 `, true, fault.CallUnknown, graphspec.ClassTransient},
		"a refusal of a proxy":            {`403 <html>no</html>`, true, fault.MetaRefused, graphspec.ClassInput},
		"a redirect":                      {`302 {}`, true, fault.MetaRefused, graphspec.ClassInput},
		"two values":                      {`200 {} {}`, false, fault.MetaUnavailable, graphspec.ClassTransient},
		"the upload host":                 {`400 {"debug_info":{"retriable":false,"type":"ProcessingFailedError","message":"no video"}}`, true, fault.MetaRefused, graphspec.ClassInput},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(tt.answer))
			r := get("4100", "comments")
			if tt.write {
				r = post("4100", "comments")
			}
			_, err := d.Do(t.Context(), r)
			f := faultOf(t, err, tt.code)
			if got := f.Details["class"]; got != string(tt.class) {
				t.Errorf("class %v, want %s", got, tt.class)
			}
			if !strings.Contains(f.Message, "/{id}/comments") && tt.code != fault.ConnectorExpired {
				t.Errorf("%q does not say what failed", f.Message)
			}
		})
	}
}

func TestRefusalsSayWhatAnAgentNeeds(t *testing.T) {
	t.Parallel()
	d := api(t, answers(`400 {"error":{"message":"Invalid parameter","type":"OAuthException","code":100,"error_subcode":1885621,
		"error_user_title":"Budget twice","error_user_msg":"Set the budget at one level.","error_data":"{\"blame_field_specs\":[[\"daily_budget\"]]}","fbtrace_id":"Atrace/1+"}}`))
	_, err := d.Do(t.Context(), post("act_3000000000000001", "adsets"))
	f := faultOf(t, err, fault.MetaRefused)
	want := map[string]any{
		"class": "input", "code": 100, "subcode": 1885621, "title": "Budget twice", "user_msg": "Set the budget at one level.",
		"field": "daily_budget", "fbtrace_id": "Atrace/1+",
	}
	if !reflect.DeepEqual(f.Details, want) {
		t.Errorf("details\n%v, want\n%v", f.Details, want)
	}
	if f.Message != "Meta refused POST /{id}/adsets: Invalid parameter: Set the budget at one level." {
		t.Errorf("message %q", f.Message)
	}
	if !strings.Contains(f.Fix, "not on both") {
		t.Errorf("fix %q", f.Fix)
	}
}

func TestMissingPermissionIsNamed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		message string
		scopes  []string
		want    []string
		words   string
	}{
		"by Meta":     {"(#200) Requires pages_manage_posts permission to manage the object", []string{"pages_show_list"}, []string{"pages_manage_posts"}, "It needs pages_manage_posts"},
		"by the tool": {"(#10) Application does not have permission for this action", []string{"ads_read|ads_management", "business_management"}, []string{"ads_read|ads_management", "business_management"}, "It needs ads_read or ads_management, business_management"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(`403 {"error":{"code":200,"message":"`+tt.message+`"}}`))
			r := get("1")
			r.Scopes = tt.scopes
			_, err := d.Do(t.Context(), r)
			f := faultOf(t, err, fault.ScopeMissing)
			if !reflect.DeepEqual(f.Details["scopes"], tt.want) || !strings.Contains(f.Message, tt.words) {
				t.Errorf("scopes %v, message %q", f.Details["scopes"], f.Message)
			}
		})
	}
}

func TestMetasWordsComeWithoutWhatMustNotLeave(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ said, want string }{
		"token":           {"bad token " + userToken, "bad token [removed]"},
		"another's token": {"bad token EAA" + strings.Repeat("aB3", 20), "bad token [removed]"},
		"address":         {"see https://graph.facebook.com/v26.0/1?access_token=abc&x=1 now", "see https://graph.facebook.com/v26.0/1 now"},
		"mail":            {"someone@example.com is taken", "[address] is taken"},
		"phone":           {"call +44 20 7946 0958 now", "call [number] now"},
		"bare phone":      {"call 02079460958 now", "call [number] now"},
		"own id":          {"object 4100000001 is gone", "object 4100000001 is gone"},
		"another's id":    {"object 4100000000000001 is gone", "object 4100000000000001 is gone"},
		"lines":           {`a\nb\tc`, "a b c"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(`400 {"error":{"code":100,"message":"`+tt.said+`"}}`))
			_, err := d.Do(t.Context(), get("4100000001"))
			f := faultOf(t, err, fault.MetaRefused)
			if want := "Meta refused GET /{id}: " + tt.want; f.Message != want {
				t.Errorf("got  %q\nwant %q", f.Message, want)
			}
		})
	}
}

func TestBlamedFieldIsFound(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ errorJSON, want string }{
		"object":       {`"error_data":{"blame_field_specs":[["targeting","geo_locations"]]}`, "targeting.geo_locations"},
		"text":         {`"error_data":"{\"blame_field_specs\":[[\"name\"]]}"`, "name"},
		"no field":     {`"message":"(#100) Tried accessing nonexisting field (foo) on node type (Page)"`, "foo"},
		"parameter":    {`"message":"(#100) Param metric must be one of {a}"`, "metric"},
		"named first":  {`"message":"(#100) metric[3] must be one of the following values"`, "metric[3]"},
		"nothing":      {`"message":"(#100) The thing is off"`, ""},
		"other shapes": {`"error_data":[1]`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(`400 {"error":{"code":100,`+tt.errorJSON+`}}`))
			_, err := d.Do(t.Context(), get("1"))
			got, _ := faultOf(t, err, fault.MetaRefused).Details["field"].(string)
			if got != tt.want {
				t.Errorf("field %q, want %q", got, tt.want)
			}
		})
	}
}

// hang answers nothing and breaks the connection.
func hang(w http.ResponseWriter, _ seen) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.Close()
}

func TestOutcomeIsUnknownOnlyWhereSomethingWasSent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	_ = l.Close()

	repeat := post("1", "feed")
	repeat.Repeat = true
	tests := map[string]struct {
		nobody  bool
		request graph.Request
		code    fault.Code
		tries   int
	}{
		"write, no answer":         {false, post("1", "feed"), fault.CallUnknown, 1},
		"repeatable, no answer":    {false, repeat, fault.MetaUnavailable, 3},
		"read, no answer":          {false, get("1"), fault.MetaUnavailable, 3},
		"write, nobody listening":  {true, post("1", "feed"), fault.MetaUnavailable, 0},
		"delete, no answer":        {false, graph.Request{Method: "DELETE", Path: []string{"1"}}, fault.CallUnknown, 1},
		"upload, no answer":        {false, graph.Request{Method: "POST", Host: graph.UploadHost, Path: []string{"video-upload", "1"}, Body: io.LimitReader(strings.NewReader("abc"), 3), BodySize: 3}, fault.CallUnknown, 1},
		"bad id, nothing was sent": {false, post("1/2"), fault.ArgumentInvalid, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, hang, func(o *graph.APIOptions) {
				if tt.nobody {
					o.Bases = map[graph.Host]string{graph.GraphHost: nobody}
				}
			})
			_, err := d.Do(t.Context(), tt.request)
			f := faultOf(t, err, tt.code)
			if got := len(d.calls()); got != tt.tries {
				t.Errorf("%d tries, want %d", got, tt.tries)
			}
			if tt.nobody && (len(d.clock.slept) != 2 || !strings.Contains(f.Message, "nothing was sent")) {
				t.Errorf("slept %v, said %q", d.clock.slept, f.Message)
			}
		})
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	const passing, fine = `500 {"error":{"code":2,"is_transient":true}}`, `200 {"id":"1"}`
	passing400 := `400 {"error":{"code":2,"is_transient":true}}`
	repeat := post("1")
	repeat.Repeat = true
	tests := map[string]struct {
		request graph.Request
		answers []string
		header  string // X-Ad-Account-Usage
		tries   int
		waited  time.Duration
		code    fault.Code // empty: success
		after   int
	}{
		"read, once more":              {get("1"), []string{passing, fine}, "", 2, 1250 * time.Millisecond, "", 0},
		"read, three times":            {get("1"), []string{passing}, "", 3, 1250*time.Millisecond + 2250*time.Millisecond, fault.MetaUnavailable, 0},
		"read, wrong for ever":         {get("1"), []string{`400 {"error":{"code":100}}`}, "", 1, 0, fault.MetaRefused, 0},
		"write, never":                 {post("1"), []string{passing400, fine}, "", 1, 0, fault.CallUnknown, 0},
		"write that may be repeated":   {repeat, []string{passing, fine}, "", 2, 1250 * time.Millisecond, "", 0},
		"write, limit, a short wait":   {post("1"), []string{`400 {"error":{"code":17,"error_subcode":2446079}}`, fine}, `{"acc_id_util_pct":100,"reset_time_duration":4}`, 2, 4 * time.Second, "", 0},
		"limit, a long wait":           {get("1"), []string{`400 {"error":{"code":17,"error_subcode":2446079}}`, fine}, `{"acc_id_util_pct":100,"reset_time_duration":90}`, 1, 0, fault.RateLimited, 90},
		"limit, no time named":         {get("1"), []string{`400 {"error":{"code":4}}`, fine}, "", 1, 0, fault.RateLimited, 60},
		"expired token, never":         {get("1"), []string{`401 {"error":{"code":190}}`}, "", 1, 0, fault.ConnectorExpired, 0},
		"not ready is for the poller":  {post("1"), []string{`400 {"error":{"code":9007}}`}, "", 1, 0, fault.MetaRefused, 0},
		"an answer cut off, for reads": {get("1"), []string{`200 {"id":`, fine}, "", 2, 1250 * time.Millisecond, "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := answers(tt.answers...)
			d := api(t, func(w http.ResponseWriter, r seen) {
				if tt.header != "" {
					w.Header().Set("X-Ad-Account-Usage", tt.header)
					tt.header = ""
				}
				next(w, r)
			})
			_, err := d.Do(t.Context(), tt.request)
			if tt.code == "" && err != nil {
				t.Fatal(err)
			}
			if tt.code != "" {
				if f := faultOf(t, err, tt.code); f.RetryAfter != tt.after {
					t.Errorf("retry after %d, want %d", f.RetryAfter, tt.after)
				}
			}
			if got := len(d.calls()); got != tt.tries {
				t.Errorf("%d tries, want %d", got, tt.tries)
			}
			if got := d.clock.total(); got != tt.waited {
				t.Errorf("waited %v, want %v", got, tt.waited)
			}
		})
	}
}
