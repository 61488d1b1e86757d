package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mainstay-ci/mainstay/queue/shard"
)

// identity gives the headers by which a request says who asks: a token of its
// own, or the secret of a host without OIDC and what the job says it is.
func identity(set settings, flow *workflow) func(context.Context) (http.Header, error) {
	if set.secret == "" {
		return func(ctx context.Context) (http.Header, error) {
			token, err := flow.token(ctx, set.audience)
			return http.Header{"Authorization": {"Bearer " + token}}, err
		}
	}
	h := http.Header{"Authorization": {shard.SecretScheme + " " + set.secret}}
	for name, variable := range map[string]string{
		shard.HeaderRepository: "GITHUB_REPOSITORY_ID", shard.HeaderRun: "GITHUB_RUN_ID", shard.HeaderRunAttempt: "GITHUB_RUN_ATTEMPT",
		shard.HeaderRef: "GITHUB_REF", shard.HeaderSHA: "GITHUB_SHA", shard.HeaderEvent: "GITHUB_EVENT_NAME",
	} {
		if value := flow.gh.Getenv(variable); value != "" {
			h.Set(name, shard.CleanName(value))
		}
	}
	return func(context.Context) (http.Header, error) { return h, nil }
}

// report sends the chunks of a report one by one and returns the last answer.
func (c *client) report(ctx context.Context, chunks []shard.Report) (shard.ReportAnswer, error) {
	before := c.left
	ctx, done := c.spend(ctx, c.left)
	var answer shard.ReportAnswer
	for _, chunk := range chunks {
		answer = shard.ReportAnswer{}
		path := shard.ReportPath(chunk.Suite, chunk.Shard.Index, chunk.Chunk)
		if err := c.call(ctx, http.MethodPut, path, chunk, &answer); err != nil {
			done()
			return shard.ReportAnswer{}, fmt.Errorf("report: %w", err)
		}
		if !answer.Accepted {
			done()
			return shard.ReportAnswer{}, errors.New("report: the server did not accept it")
		}
	}
	done()
	c.left = before // a server that answers is not waited for
	return answer, nil
}

// claim asks for the next batch of a leased plan. Half of what is left of the
// budget is kept for the report; a server that answers uses none of it.
func (c *client) claim(ctx context.Context, plan string, request shard.ClaimRequest) (shard.ClaimAnswer, error) {
	before := c.left
	ctx, done := c.spend(ctx, c.left/2)
	var answer shard.ClaimAnswer
	err := c.call(ctx, http.MethodPost, planPath(shard.ClaimsPattern, plan), request, &answer)
	done()
	if err == nil {
		c.left = before
		err = checkClaim(answer)
	}
	if err != nil {
		return shard.ClaimAnswer{}, fmt.Errorf("claim: %w", err)
	}
	return answer, nil
}

// heartbeatWait is how long one heartbeat may take: nobody waits for it.
const heartbeatWait = 10 * time.Second

// heartbeat keeps a lease; errGone says that it is lost.
func (c *client) heartbeat(ctx context.Context, plan string, request shard.HeartbeatRequest) error {
	ctx, cancel := context.WithTimeout(ctx, heartbeatWait)
	defer cancel()
	return c.call(ctx, http.MethodPost, planPath(shard.HeartbeatsPattern, plan), request, &struct{}{})
}

// verdict asks what all suites of this commit come to. It may use what is left
// of limit.
func (c *client) verdict(ctx context.Context, limit time.Duration) (shard.VerdictAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var answer shard.VerdictAnswer
	err := c.call(ctx, http.MethodGet, shard.VerdictPath, nil, &answer)
	return answer, err
}

func planPath(pattern, plan string) string {
	return strings.Replace(pattern, "{plan}", url.PathEscape(plan), 1)
}

// maxHeartbeat is the longest time between two heartbeats, in seconds.
const maxHeartbeat = 60

// checkClaim says what is wrong with the answer to a claim, or nil.
func checkClaim(a shard.ClaimAnswer) error {
	switch a.State {
	case shard.ClaimDrained, shard.ClaimWait:
		return nil
	case shard.ClaimWork:
	default:
		return fmt.Errorf("unknown state %.40q", a.State)
	}
	if a.Lease == "" || len(a.Lease) > shard.MaxLabel || len(a.Items) == 0 || len(a.Items) > shard.MaxItems {
		return errors.New("work without a lease or without items")
	}
	return nil
}
