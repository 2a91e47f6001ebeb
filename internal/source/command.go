package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"time"

	"sluice/internal/fault"
)

// Command is a program that prints JSON lines: aws, bq, duckdb, mysql, sftp, or a
// script of the shop's own. It is started without a shell.
type Command struct {
	Name string   // of the source, in positions and messages
	Argv []string // program and arguments
	Env  []string // KEY=value; what the program sees, and nothing else
	Dir  string
	// MinRows is the fewest records that are believable; fewer end in a fault.
	MinRows int64
	// Counted programs print {"rows": N} as their last line, and N must be right.
	Counted bool
	// Timeout ends a program that hangs; 0 is an hour.
	Timeout time.Duration
}

// OpenCommand starts the program. What it prints is read as it comes; whether it
// ended well is known at the end, and until then its records are not to be believed:
// instead of io.EOF comes a fault when it failed.
func OpenCommand(ctx context.Context, c Command, o Options) (Reader, error) {
	if len(c.Argv) == 0 || c.Argv[0] == "" {
		return nil, fault.New(fault.Usage, "source %s names no program", c.Name)
	}
	if c.Timeout <= 0 {
		c.Timeout = time.Hour
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Env, cmd.Dir = append([]string{}, c.Env...), c.Dir
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fault.New(fault.SourceUnavailable, "source %s: its program can't be started", c.Name).
			WithFix("check the path of the program and that it may be executed").With("source", c.Name).Wrap(err)
	}
	p := &program{command: c, cmd: cmd, ctx: ctx, cancel: cancel}
	in := io.Reader(out)
	if c.Counted {
		p.trailer = &trailer{in: out, limit: DefaultMaxRecord}
		in = p.trailer
	}
	o.Stdin, o.Format, o.stdinName = in, JSONL, c.Name
	if p.Reader, err = Open(ctx, []string{stdinName}, o); err != nil {
		if bad := p.wait(); bad != nil {
			err = bad
		}
		return nil, err
	}
	return p, nil
}

// program is a Reader over what a process prints.
type program struct {
	Reader
	command Command
	cmd     *exec.Cmd
	ctx     context.Context
	cancel  context.CancelFunc
	trailer *trailer
	ended   error
}

// Next implements Reader.
func (p *program) Next(ctx context.Context, r *Record) error {
	if p.ended != nil {
		return p.ended
	}
	err := p.Reader.Next(ctx, r)
	if err == nil {
		return nil
	}
	p.ended = err
	f, _ := fault.As(err)
	if errors.Is(err, io.EOF) || f != nil && f.Code == fault.SourceEmpty {
		if bad := p.wait(); bad != nil {
			p.ended = bad
		}
	}
	return p.ended
}

// wait judges how the program ended.
func (p *program) wait() error {
	rows := int64(0)
	if p.Reader != nil {
		rows = p.Reader.Progress().Records
	}
	err := p.cmd.Wait()
	late := p.ctx.Err()
	p.cancel()
	name := p.command.Name
	var exit *exec.ExitError
	switch {
	case errors.Is(late, context.DeadlineExceeded):
		return fault.New(fault.SourceUnavailable, "source %s: its program did not end within %v", name, p.command.Timeout).
			WithFix("narrow what it reads, or raise `timeout`").With("source", name)
	case late != nil:
		return interrupted(late)
	case errors.As(err, &exit):
		// What it wrote to its error output may hold data, and is not repeated.
		return fault.New(fault.SourceUnavailable, "source %s: its program failed with exit code %d after %d records", name, exit.ExitCode(), rows).
			WithFix("run the program by hand to see why, and read the source again; what was stored twice counts once").With("source", name).With("exit_code", exit.ExitCode())
	case err != nil:
		return fault.New(fault.SourceUnavailable, "source %s: its program can't be read", name).With("source", name).Wrap(err)
	}
	if p.trailer != nil {
		if want, ok := p.trailer.count(); !ok {
			return fault.New(fault.SourceInvalid, "source %s: the last line is not {\"rows\": N}, so the output may be cut off", name).
				WithFix("print the number of records last, or leave `counted` out").With("source", name)
		} else if want != rows {
			return fault.New(fault.SourceInvalid, "source %s: its program says %d records and printed %d", name, want, rows).
				WithFix("run it again: part of the output is missing").With("source", name)
		}
	}
	if rows < p.command.MinRows {
		return fault.New(fault.SourceInvalid, "source %s: %d records are fewer than the %d it must have", name, rows, p.command.MinRows).
			WithFix("check the export; lower `min_rows` if so few are right").With("source", name)
	}
	return nil
}

// Close implements Reader: a program that still runs is ended.
func (p *program) Close() error {
	err := p.Reader.Close()
	if p.ended == nil {
		p.cancel()
		_ = p.cmd.Wait()
	}
	p.cancel()
	return err
}

// trailer passes a stream on but for its last line, which it keeps.
type trailer struct {
	in    io.Reader
	limit int
	held  []byte // from the start of the line that may be the last
	ready int    // bytes of held that are not the last line
	ended error
}

// Read implements io.Reader.
func (t *trailer) Read(p []byte) (int, error) {
	for t.ready == 0 {
		if t.ended != nil {
			return 0, t.ended
		}
		chunk := make([]byte, 64<<10)
		n, err := t.in.Read(chunk)
		t.held, t.ended = append(t.held, chunk[:n]...), err
		// Blank lines at the end belong to the last line.
		body := bytes.TrimRight(t.held, "\r\n")
		t.ready = bytes.LastIndexByte(body, '\n') + 1
		if len(t.held) > t.limit {
			t.ready = max(t.ready, len(t.held)-t.limit)
		}
	}
	n := copy(p, t.held[:t.ready])
	t.held, t.ready = t.held[n:], t.ready-n
	return n, nil
}

// count reads the kept line.
func (t *trailer) count() (rows int64, ok bool) {
	var doc struct {
		Rows *int64 `json:"rows"`
	}
	d := json.NewDecoder(bytes.NewReader(t.held))
	d.DisallowUnknownFields()
	if d.Decode(&doc) != nil || doc.Rows == nil {
		return 0, false
	}
	return *doc.Rows, true
}
