// Command drift compares the records of package graphspec with a local copy of Meta's
// published specification (api_specs/specs of facebook-business-sdk-codegen) and prints
// where they differ: fields, edges, parameters and values of enums that one side has and
// the other has not. It reads files only and changes nothing.
//
//	go run ./internal/graphspec/drift [-all] DIR
//
// What is here and not there is either newer than the copy, documented elsewhere, or a
// mistake. What is there and not here is mostly what no tool needs: it is counted, and
// listed with -all. A parameter that is needed there and optional here is always listed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "drift:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("drift", flag.ContinueOnError)
	flags.SetOutput(out)
	all := flags.Bool("all", false, "list what is only in the specification as well")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("name the folder with the specification's .json files")
	}
	spec, err := load(os.DirFS(flags.Arg(0)))
	if err != nil {
		return err
	}
	r := compare(spec, ours())
	return r.print(out, *all)
}
