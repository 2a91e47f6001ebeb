package credential

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// publicTimeout bounds the fetch of a document that may be some megabytes large.
const publicTimeout = time.Minute

// Public fetches a document of at most so many bytes from a public https address that
// somebody else wrote: no address inside of a private network, no other origin, no
// credentials. Its errors name the host only.
func Public(ctx context.Context, address string, most int64) ([]byte, error) {
	f := newFetcher(reach{})
	f.client.Timeout = publicTimeout
	defer f.client.CloseIdleConnections()
	return f.download(ctx, address, most)
}

func (f *fetcher) download(ctx context.Context, address string, most int64) ([]byte, error) {
	u, err := f.reach.check(address)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%s can't be asked", u.Hostname())
	}
	req.Header.Set("User-Agent", "sluice")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, &fetchError{host: u.Hostname(), cause: err}
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers with status %d", u.Hostname(), resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return nil, &fetchError{host: u.Hostname(), cause: err}
	case int64(len(body)) > most:
		return nil, fmt.Errorf("the document at %s is larger than %d bytes", u.Hostname(), most)
	}
	return body, nil
}
