package audit

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendCall appends the canonical JSON of a call's record as number seq of chain. It
// gives the very bytes that Encode gives for c.Record(), without reflection: a call is
// recorded twice, and what that costs is paid by every call.
func AppendCall(dst []byte, chain string, seq int64, at time.Time, c *Call) []byte {
	told := c.told()
	c = &told
	actor := c.actor()
	dst = append(dst, `{"actor":{"id":`...)
	dst = appendText(dst, actor.ID)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, actor.Type...)
	dst = append(dst, `"}`...)
	dst = member(dst, `,"approval":`, c.Approval)
	if len(c.ArgKeys) > 0 {
		dst = append(dst, `,"arg_keys":[`...)
		for i, k := range c.ArgKeys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, k)
		}
		dst = append(dst, ']')
	}
	dst = member(dst, `,"args_hmac":`, c.ArgsHMAC)
	dst = append(dst, `,"chain":`...)
	dst = appendText(dst, chain)
	dst = member(dst, `,"client":`, c.Client)
	dst = member(dst, `,"code":`, c.Code)
	dst = member(dst, `,"decision":`, c.Decision)
	dst = member(dst, `,"grant":`, c.Grant)
	dst = append(dst, `,"kind":"call"`...)
	dst = number(dst, `,"latency_us":`, c.LatencyUS)
	dst = member(dst, `,"method":`, c.Method)
	dst = append(dst, `,"op":"call"`...)
	dst = member(dst, `,"outcome":`, c.Outcome)
	dst = member(dst, `,"phase":`, c.Phase)
	dst = member(dst, `,"policy":`, c.Policy)
	dst = member(dst, `,"policy_hash":`, c.PolicyHash)
	dst = number(dst, `,"policy_version":`, int64(c.PolicyVersion))
	dst = member(dst, `,"reason":`, c.Reason)
	dst = member(dst, `,"request_id":`, c.Request)
	dst = member(dst, `,"rule":`, c.Rule)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	dst = member(dst, `,"server":`, c.Server)
	dst = member(dst, `,"session":`, c.Session)
	dst = member(dst, `,"settlement":`, c.Settlement)
	dst = member(dst, `,"tool":`, c.Tool)
	dst = member(dst, `,"tool_hash":`, c.ToolHash)
	dst = append(dst, `,"ts":"`...)
	dst = at.UTC().AppendFormat(dst, timeFormat)
	dst = append(dst, '"')
	dst = number(dst, `,"upstream_status":`, int64(c.UpstreamStatus))
	dst = append(dst, `,"v":1,"via":"mcp"`...)
	dst = member(dst, `,"workspace":`, c.Workspace)
	return append(dst, '}')
}

func member(dst []byte, key, value string) []byte {
	if value == "" {
		return dst
	}
	return appendText(append(dst, key...), value)
}

func number(dst []byte, key string, value int64) []byte {
	if value == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, key...), value, 10)
}

// appendText writes a string as RFC 8785 has it; what is not UTF-8 becomes U+FFFD.
func appendText(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
