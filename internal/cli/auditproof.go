package cli

import (
	"encoding/json"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/audit"
	"sluice/internal/fault"
)

func (c *command) auditProve() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "prove ID", Short: "Write a proof about a run, a plan, a call or a record that an auditor checks offline", Args: cobra.ExactArgs(1),
		Long: "Writes one JSON file: the records about ID, the path of each to the root that a signed checkpoint\n" +
			"states, the checkpoint and the public key. ID is a run, a plan, a call (req_…), an approval, or a\n" +
			"record's number (CHAIN:NUMBER for another writer's). `sluice audit check-proof FILE` needs nothing\n" +
			"but the file.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLog(cmd.Context(), func(a *app.App) error {
				proof, err := a.Writeback.Prove(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.toFile(output, func(w io.Writer) error {
					text, err := json.Marshal(proof)
					if err != nil {
						return err
					}
					_, err = w.Write(append(text, '\n'))
					return err
				})
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to write (default: standard output)")
	return cmd
}

// maxProof bounds a proof that is read.
const maxProof = 64 << 20

func (c *command) auditCheckProof() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "check-proof FILE", Short: "Check a proof with nothing but the file", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return fault.New(fault.SourceUnavailable, "the proof %s can't be read", args[0]).Wrap(err)
			}
			defer func() { _ = f.Close() }()
			var proof audit.Proof
			text, err := io.ReadAll(io.LimitReader(f, maxProof))
			if err != nil || json.Unmarshal(text, &proof) != nil {
				return fault.New(fault.SourceInvalid, "%s is not a proof", args[0])
			}
			if err := proof.Check(); err != nil {
				return fault.New(fault.AuditBroken, "the proof does not hold: %v", err).WithFix("ask for the file again, and compare it with a copy of the log")
			}
			if key != "" && key != proof.Checkpoint.Key {
				return fault.New(fault.AuditBroken, "the proof is signed with %s, not with %s", proof.Checkpoint.Key, key).
					WithFix("compare with `sluice audit key` of whoever made it")
			}
			answer := struct {
				OK         bool   `json:"ok"`
				Subject    string `json:"subject"`
				Records    int    `json:"records"`
				Log        string `json:"log"`
				Checkpoint int64  `json:"checkpoint"`
				TS         string `json:"ts"`
				Key        string `json:"key"`
			}{true, proof.Subject, len(proof.Records), proof.Checkpoint.Checkpoint.Log, proof.Checkpoint.Checkpoint.No, proof.Checkpoint.Checkpoint.TS, proof.Checkpoint.Key}
			return c.print(answer, func(w io.Writer) {
				line(w, "%s %s about %s", c.good("holds:"), plural(int64(answer.Records), "record"), shown(answer.Subject))
				line(w, "  in log %s at checkpoint %d of %s", shown(answer.Log), answer.Checkpoint, shown(answer.TS))
				line(w, "  signed with %s: compare it with the key you were given", shown(answer.Key))
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "id of the key that must have signed")
	return cmd
}
