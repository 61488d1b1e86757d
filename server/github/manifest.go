package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Created is a GitHub App as GitHub tells it once, when it was created by a manifest.
type Created struct {
	ID         int64
	Slug, Name string
	Page       string // its page at GitHub, from which it is installed

	Key           Secret
	WebhookSecret Secret // empty when the App has no webhook
}

// TakeCreated exchanges the code that GitHub led the browser back with for the App
// it stands for. A code is good for an hour, and once. Errors: *Trouble, or the context's.
func TakeCreated(ctx context.Context, o Options, code string) (Created, error) {
	a := &App{transport: o.Transport, clock: o.Clock, log: o.Log}
	var err error
	if a.apiURL, err = address(o.APIURL, "https://api.github.com"); err != nil {
		return Created{}, fmt.Errorf("take the created App: API address: %w", err)
	}
	a.fillIn()
	var answer struct {
		ID            int64   `json:"id"`
		Slug          string  `json:"slug"`
		Name          string  `json:"name"`
		Page          string  `json:"html_url"`
		Key           string  `json:"pem"`
		WebhookSecret *string `json:"webhook_secret"`
	}
	if err := a.convert(ctx, code, &answer); err != nil {
		return Created{}, fmt.Errorf("take the created App: %w", err)
	}
	if _, err := parseKey([]byte(answer.Key)); err != nil || answer.ID <= 0 {
		return Created{}, errors.New("take the created App: GitHub's answer has no App in it")
	}
	c := Created{ID: answer.ID, Slug: answer.Slug, Name: answer.Name, Page: answer.Page, Key: Secret(answer.Key)}
	if answer.WebhookSecret != nil {
		c.WebhookSecret = Secret(*answer.WebhookSecret)
	}
	return c, nil
}

// convert makes the call by hand: the code is as good as the key, so neither an error
// nor the log may have the address.
func (a *App) convert(ctx context.Context, code string, into any) error {
	const call = "POST app-manifests/…/conversions"
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	at := a.apiURL.JoinPath("app-manifests")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.String()+"/"+segment(code)+"/conversions", nil)
	if err != nil {
		return &Trouble{Kind: Refused, Call: call, Message: "the code is none"}
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	resp, err := a.http.Do(req)
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err // without the address
		}
		return &Trouble{Kind: Unavailable, Call: call, err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return a.refusal(call, resp, "")
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(into); err != nil {
		return &Trouble{Kind: Unavailable, Call: call, err: err}
	}
	return nil
}
