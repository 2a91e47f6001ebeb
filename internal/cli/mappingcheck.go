package cli

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/fault"
	"sluice/internal/mapping"
)

// maxMapping bounds a mapping that comes on standard input.
const maxMapping = 1 << 20

// checkedMapping is one line of `mapping check --json`.
type checkedMapping struct {
	Mapping  string            `json:"mapping"`
	OK       bool              `json:"ok"`
	Digest   string            `json:"digest,omitempty"`
	Columns  []string          `json:"columns,omitempty"`
	Outcomes map[string]string `json:"outcomes,omitempty"`
	Error    *body             `json:"error,omitempty"` // as in any other error document
}

func (c *command) mappingCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check MAPPING…", Short: "List every fault with its line",
		Long: "Judges every mapping it is given, also after one that is faulty; - is standard input, whose file\n" +
			"references are looked up from here. With --json, one line for each.",
		Example: "  sluice mapping check shops/*.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fault.New(fault.Usage, "mapping check needs a mapping").WithFix("for example `sluice mapping check mapping.yaml`")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var first error
			bad := 0
			for _, path := range args {
				err := c.checkMapping(path, len(args) > 1)
				if err == nil {
					continue
				}
				if _, ok := fault.As(err); !ok {
					return err
				}
				if bad++; first == nil {
					first = err
				}
			}
			switch {
			case bad == 0:
				return nil
			case len(args) == 1 && !c.json:
				return first
			case len(args) == 1:
				return reported{first}
			default:
				return reported{fault.New(fault.CodeOf(first), "%d of %d mappings have faults", bad, len(args)).WithFix("mend what is listed above")}
			}
		},
	}
}

// checkMapping judges one mapping and prints the verdict. A fault of the only one is
// left to be printed like that of any command.
func (c *command) checkMapping(path string, several bool) error {
	m, err := c.openMapping(path)
	if err == nil {
		doc := checkedMapping{Mapping: path, OK: true, Digest: fmt.Sprintf("%x", m.Digest()), Columns: m.Columns(), Outcomes: m.Outcomes()}
		return c.print(doc, func(w io.Writer) {
			line(w, "%s %s reads %s", c.good("no faults:"), path, shown(strings.Join(m.Columns(), ", ")))
		})
	}
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	row := fault.Lookup(f.Code)
	fix := f.Fix
	if fix == "" {
		fix = row.Fix
	}
	switch {
	case c.json:
		doc := checkedMapping{Mapping: path, Error: &body{f.Code, f.Message, row.Retryable, f.RetryAfter, f.Details, fix, f.Command}}
		if perr := c.print(doc, nil); perr != nil {
			return perr
		}
	case several:
		c.complain(f, fix)
	}
	return f
}

// openMapping reads a mapping from a file or, for -, from standard input.
func (c *command) openMapping(path string) (*mapping.Mapping, error) {
	if path != "-" {
		return readMapping(path)
	}
	text, err := io.ReadAll(io.LimitReader(c.Stdin, maxMapping+1))
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "standard input can't be read").Wrap(err)
	}
	if len(text) > maxMapping {
		return nil, fault.New(fault.MappingInvalid, "the mapping on standard input is larger than %d MiB", maxMapping>>20)
	}
	root, err := os.OpenRoot(".")
	if err != nil {
		return nil, fault.New(fault.SourceUnavailable, "the current directory can't be read").Wrap(err)
	}
	defer func() { _ = root.Close() }()
	return parseMapping("stdin", text, root.FS())
}

// parseMapping parses a mapping; the error of a faulty one shows the lines that are
// wrong.
func parseMapping(name string, text []byte, files fs.FS) (*mapping.Mapping, error) {
	m, err := mapping.Parse(name, text, files)
	if f, ok := fault.As(err); ok {
		var excerpts strings.Builder
		for _, at := range mapping.FaultsOf(err) {
			fmt.Fprintf(&excerpts, "%s\n%s", at, mapping.Excerpt(text, at))
		}
		return nil, f.With("excerpt", excerpts.String())
	}
	return m, err
}
