package postgres

import "context"

// Kill ends a node as kill -9 would, and makes the others see that it is gone.
func (e *Enforcement) Kill(ctx context.Context) error {
	e.once.Do(e.end)
	_, err := e.pool.Exec(ctx, `UPDATE gate_node SET seen = seen - interval '1 hour' WHERE node = $1`, e.node)
	e.pool.Close()
	return err
}
