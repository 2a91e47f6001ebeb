package cli

import (
	"bytes"
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
	"sluice/internal/policytool"
	"sluice/policy"
)

// validatedPolicy is one line of `policy validate --json`.
type validatedPolicy struct {
	File     string               `json:"file"`
	OK       bool                 `json:"ok"`
	Portable bool                 `json:"portable"`
	Written  bool                 `json:"written,omitempty"`
	Faults   []policytool.Finding `json:"faults"`
	Error    *body                `json:"error,omitempty"` // the file could not be read
}

func (c *command) policyValidate() *cobra.Command {
	var write bool
	var definitions string
	cmd := &cobra.Command{
		Use: "validate FILE…", Short: "List every fault of policies, with line and fix",
		Long: "Judges every file it is given, also after one that is faulty; - is standard input. Errors keep a\n" +
			"policy from being used (exit code 2); warnings are worth a look; notices tell what a shorthand means.\n" +
			"--write saves the canonical form, in which shorthands are written out. With --json, one line for each.",
		Example: "  sluice policy validate policy.json\n  sluice policy validate --tools tools.json policies/*.json\n" +
			"  sluice policy validate --write policy.json",
		Args: needPolicies,
		RunE: func(_ *cobra.Command, args []string) error {
			var tools []string
			if definitions != "" {
				list, err := c.readDefinitions(definitions)
				if err != nil {
					return err
				}
				tools = []string{}
				for _, t := range list {
					tools = append(tools, t.Name)
				}
			}
			bad := 0
			for _, path := range args {
				doc := c.validate(path, tools, write)
				if !doc.OK {
					bad++
				}
				if err := c.print(doc, func(w io.Writer) { c.writeValidated(w, path, doc) }); err != nil {
					return err
				}
			}
			if bad > 0 {
				return reported{fault.New(fault.PolicyInvalid, "%d of %d policies can't be used", bad, len(args)).WithFix("mend what is listed above")}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&write, "write", false, "save the canonical form of what has no errors")
	cmd.Flags().StringVar(&definitions, "tools", "", "answer of tools/list in a file: warns of tools that are not there")
	return cmd
}

func needPolicies(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fault.New(fault.Usage, "policy validate needs a policy").WithFix("for example `sluice policy validate policy.json`")
	}
	return nil
}

// validate judges one file.
func (c *command) validate(path string, tools []string, write bool) validatedPolicy {
	out := validatedPolicy{File: path, Faults: []policytool.Finding{}}
	failed := func(err error) validatedPolicy {
		f, ok := fault.As(err)
		if !ok {
			f = fault.New(fault.Internal, "%v", err)
		}
		row := fault.Lookup(f.Code)
		out.OK, out.Error = false, &body{Code: f.Code, Message: f.Message, Fix: row.Fix}
		if f.Fix != "" {
			out.Error.Fix = f.Fix
		}
		return out
	}
	if path == "-" && write {
		return failed(fault.New(fault.Usage, "--write needs a file to write to").WithFix("save standard input to a file first"))
	}
	text, err := c.readFile(path)
	if err != nil {
		return failed(err)
	}
	doc, faults := policy.Parse(text)
	if doc != nil && tools != nil {
		faults = append(faults, doc.Unknown(tools)...)
	}
	out.Faults = append(out.Faults, policytool.Place(text, faults)...)
	if doc == nil {
		return out
	}
	out.OK, out.Portable = true, doc.Portable()
	if pretty := policytool.Pretty(doc.Canonical()); write && !bytes.Equal(pretty, text) {
		if err := replaceFile(path, pretty); err != nil {
			return failed(err)
		}
		out.Written = true
	}
	return out
}

func (c *command) writeValidated(w io.Writer, path string, v validatedPolicy) {
	for i := range v.Faults {
		_, _ = io.WriteString(w, findingText(path, &v.Faults[i]))
	}
	switch {
	case v.Error != nil:
		line(w, "%s %s [%s]\n    %s", c.bad("not judged:"), v.Error.Message, v.Error.Code, v.Error.Fix)
	case !v.OK:
	case v.Portable:
		line(w, "%s %s", c.good("valid:"), fileName(path))
	default:
		line(w, "%s %s; it uses extensions of Sluice and is not portable", c.good("valid:"), fileName(path))
	}
	if v.Written {
		line(w, "written: the canonical form")
	}
}
