package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"

	"sluice/internal/testkit"
)

// sdk is the other side: one Node process that waits for commands.
type sdk struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

func startSDK(orders [][]order) (*sdk, error) {
	if _, err := os.Stat("bench/nodesdk/bench.mjs"); err != nil {
		return nil, errors.New("run it from the root of the repository: go run ./bench/nodesdk")
	}
	modules, err := testkit.NodeModules("e2e/nodesdk")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("node", "bench/nodesdk/bench.mjs")
	cmd.Env = append(os.Environ(), "SLUICE_NODE_MODULES="+modules)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &sdk{cmd: cmd, stdin: stdin, stdout: bufio.NewReaderSize(stdout, 1<<20)}
	if err := json.NewEncoder(stdin).Encode(map[string]any{"batches": orders}); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// ask sends one command and reads its answer, one line.
func (s *sdk) ask(command string) ([]byte, error) {
	if _, err := fmt.Fprintln(s.stdin, command); err != nil {
		return nil, err
	}
	return s.stdout.ReadBytes('\n')
}

func (s *sdk) check() ([]byte, error) { return s.ask("check") }

func (s *sdk) speed(times int) (float64, error) {
	line, err := s.ask(fmt.Sprintf("run %d", times))
	if err != nil {
		return 0, err
	}
	var answer struct{ Events, Seconds float64 }
	if err := json.Unmarshal(line, &answer); err != nil {
		return 0, err
	}
	return answer.Events / answer.Seconds, nil
}

// stop ends the process; its end of input is its signal to go.
func (s *sdk) stop() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait()
}

// sameEvents compares two bodies event by event, as JSON values. A list of one
// identifier and the bare identifier are the same to Meta.
func sameEvents(a, b []byte) error {
	var bodies [2]struct {
		Data []map[string]any `json:"data"`
	}
	for i, text := range [][]byte{a, b} {
		if err := json.Unmarshal(text, &bodies[i]); err != nil {
			return fmt.Errorf("body %d is not JSON: %w", i, err)
		}
	}
	ours, theirs := bodies[0].Data, bodies[1].Data
	if len(ours) != len(theirs) || len(ours) == 0 {
		return fmt.Errorf("capi wrote %d events, the SDK %d", len(ours), len(theirs))
	}
	for i := range ours {
		if keys := len(ours[i]["user_data"].(map[string]any)); keys != 9 {
			return fmt.Errorf("event %d carries %d identifiers, want 9", i, keys)
		}
		for _, side := range []map[string]any{ours[i], theirs[i]} {
			for key, value := range side["user_data"].(map[string]any) {
				if list, ok := value.([]any); ok && len(list) == 1 {
					side["user_data"].(map[string]any)[key] = list[0]
				}
			}
		}
		if !reflect.DeepEqual(ours[i], theirs[i]) {
			return fmt.Errorf("event %d differs:\ncapi %v\nSDK  %v", i, ours[i], theirs[i])
		}
	}
	return nil
}
