package cli

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sluice/internal/fault"
	"sluice/internal/suggest"
)

// What cobra and pflag say about a wrong call. Both libraries type only some of
// these errors, so their texts, which tests pin down, are the contract.
var (
	unknownCommand = regexp.MustCompile(`^unknown command ("(?:[^"\\]|\\.)*") for "([^"]*)"`)
	unknownFlag    = regexp.MustCompile(`^unknown flag: --(.+)$`)
	unknownLetter  = regexp.MustCompile(`^unknown shorthand flag: '(.)' in `)
	flagNeedsValue = regexp.MustCompile(`^flag needs an argument: (?:--(.+)|'(.)' in .*)$`)
	badFlagValue   = regexp.MustCompile(`^invalid argument .* for "([^"]*)" flag: `)
	wrongArguments = regexp.MustCompile(`^(?:accepts|requires) .*arg\(s\)`)
)

// explainUsage turns what the flag and command libraries say about a wrong call
// into a fault that names the thing that was probably meant. It returns nil for
// every other error. args are those of the process, without its name. Values of
// flags are never repeated: a mistaken call can hold a customer's.
func explainUsage(root *cobra.Command, err error, args []string) *fault.Error {
	if err == nil {
		return nil
	}
	if f, ok := fault.As(err); ok && f.Code != fault.Usage {
		return nil
	}
	text := err.Error()
	if m := unknownCommand.FindStringSubmatch(text); m != nil {
		word, uerr := strconv.Unquote(m[1])
		if uerr != nil {
			word = m[1]
		}
		return noCommand(commandAt(root, m[2]), word)
	}
	cmd, _, ferr := root.Find(args)
	if ferr != nil || cmd == nil {
		cmd = root
	}
	see := "see `" + cmd.CommandPath() + " --help`"
	seeUnknown := see
	if strings.Contains(cmd.Use, "-- COMMAND") {
		seeUnknown = "options of the server's own command go after --; " + see
	}
	if m := unknownFlag.FindStringSubmatch(text); m != nil {
		return noFlag(cmd, m[1], seeUnknown)
	}
	if m := unknownLetter.FindStringSubmatch(text); m != nil {
		return fault.New(fault.Usage, "%s has no flag -%s", cmd.CommandPath(), shown(m[1])).WithFix("%s", seeUnknown)
	}
	if m := flagNeedsValue.FindStringSubmatch(text); m != nil {
		name := "--" + m[1]
		if m[1] == "" {
			name = "-" + m[2]
		}
		return fault.New(fault.Usage, "%s needs a value", name).WithFix("%s", see)
	}
	if m := badFlagValue.FindStringSubmatch(text); m != nil {
		return badValue(cmd, m[1], see)
	}
	if wrongArguments.MatchString(text) || strings.HasPrefix(text, "required flag") {
		return fault.New(fault.Usage, "%s was called with the wrong arguments", cmd.CommandPath()).WithFix("usage: %s", cmd.UseLine())
	}
	return nil
}

// commandAt returns the command of a path like "sluice mapping".
func commandAt(root *cobra.Command, path string) *cobra.Command {
	at := root
	words := strings.Fields(path)
	for _, word := range words[min(1, len(words)):] {
		for _, sub := range at.Commands() {
			if sub.Name() == word {
				at = sub
			}
		}
	}
	return at
}

func noCommand(parent *cobra.Command, word string) *fault.Error {
	f := fault.New(fault.Usage, "%s has no command %s", parent.CommandPath(), shown(word))
	if !parent.HasSubCommands() {
		f.Message = parent.CommandPath() + " takes no arguments"
	}
	var names []string
	for _, sub := range parent.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if near := suggest.Closest(word, names); near != "" {
		return f.WithFix("did you mean `%s %s`?", parent.CommandPath(), near)
	}
	if _, err := os.Stat(word); err == nil && !parent.HasParent() {
		return f.WithFix("that is a file: `sluice preview %s -m mapping.yaml`, or `sluice mapping init %s` first", shown(word), shown(word))
	}
	return f.WithFix("see `%s --help`", parent.CommandPath())
}

func noFlag(cmd *cobra.Command, name, see string) *fault.Error {
	name, _, _ = strings.Cut(name, "=")
	f := fault.New(fault.Usage, "%s has no flag --%s", cmd.CommandPath(), shown(name))
	var names []string
	each := func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	}
	cmd.NonInheritedFlags().VisitAll(each)
	cmd.InheritedFlags().VisitAll(each)
	if near := suggest.Closest(name, names); near != "" {
		return f.WithFix("did you mean --%s?", near)
	}
	return f.WithFix("%s", see)
}

// badValue says what kind of value a flag takes.
func badValue(cmd *cobra.Command, name, see string) *fault.Error {
	long := name[strings.LastIndex(name, "-")+1:]
	if i := strings.Index(name, "--"); i >= 0 {
		long = name[i+2:]
	}
	kind := "another kind of value"
	if flag := cmd.Flag(long); flag != nil {
		switch flag.Value.Type() {
		case "int", "int64":
			kind = "a whole number"
		case "bool":
			kind = "true or false"
		case "duration":
			kind = "a duration such as 5m"
		}
	}
	return fault.New(fault.Usage, "--%s needs %s", long, kind).WithFix("%s", see)
}

// needPlan accepts exactly one argument, a plan id.
func needPlan(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fault.New(fault.Usage, "%s needs a plan id", cmd.Name()).WithFix("see `sluice runs`; `sluice preview` makes a plan")
	}
	return atMostOnePlan(cmd, args)
}

// atMostOnePlan accepts a plan id or nothing.
func atMostOnePlan(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fault.New(fault.Usage, "%s takes one plan id, not %d", cmd.Name(), len(args)).WithFix("call it once for each plan")
	}
	return nil
}

// needInputs accepts one argument or more, files of records.
func needInputs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	name := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	example := fmt.Sprintf("for example `sluice %s orders.csv`", name)
	if cmd.Flags().Lookup("mapping") != nil {
		example = fmt.Sprintf("for example `sluice %s orders.csv -m mapping.yaml`", name)
	}
	return fault.New(fault.Usage, "%s needs an input: a file, a directory, a glob, or - for standard input", name).WithFix("%s", example)
}
