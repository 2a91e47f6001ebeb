package registry

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// CheckSettings names the first thing that is wrong with settings, by member.
func CheckSettings(s Settings) error {
	switch {
	case !slices.Contains([]string{"", "visible", "callable"}, s.List):
		return errors.New("list: visible or callable")
	case !slices.Contains([]string{"", "off", "encrypted"}, s.RecordArguments):
		return errors.New("record_arguments: off or encrypted")
	}
	for i, m := range s.Methods {
		name := strings.TrimSuffix(m, "/*")
		if name == "" || strings.ContainsAny(name, "* \t\n") {
			return fmt.Errorf("methods[%d]: the name of a method, or a prefix and /*, such as resources/*", i)
		}
	}
	return checkApprovals(s.Approvals)
}

func checkApprovals(a Approvals) error {
	if d, err := time.ParseDuration(a.EscalateAfter); a.EscalateAfter != "" && (err != nil || d < time.Second) {
		return errors.New("approvals.escalate_after: a duration such as 5m")
	}
	for i, n := range a.Notify {
		place := fmt.Sprintf("approvals.notify[%d]", i)
		if (n.Webhook == "") == (len(n.Command) == 0) {
			return fmt.Errorf("%s: either webhook or command", place)
		}
		if len(n.Command) > 0 && n.Command[0] == "" {
			return fmt.Errorf("%s.command: the program is empty", place)
		}
		if !strings.HasPrefix(n.Webhook, "${") && n.Webhook != "" {
			u, err := url.Parse(n.Webhook)
			if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && onLoopback(u.Hostname())) {
				return fmt.Errorf("%s.webhook: an https URL, or ${VARIABLE} that holds one", place)
			}
		}
		for _, on := range n.On {
			if !slices.Contains([]string{"parked", "escalated", "decided"}, on) {
				return fmt.Errorf("%s.on: parked, escalated or decided", place)
			}
		}
	}
	return nil
}

func onLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
