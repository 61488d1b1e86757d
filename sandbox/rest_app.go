package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

var appRoutes = []route{
	{"GET /app", needApp, getApp},
	{"POST /app-manifests/{code}/conversions", needNobody, convertManifest},
	{"GET /app/installations", needApp, listInstallations},
	{"GET /app/installations/{id}", needApp, getInstallation},
	{"POST /app/installations/{id}/access_tokens", needApp, createToken},
	{"GET /app/hook/deliveries", needApp, listDeliveries},
	{"GET /app/hook/deliveries/{id}", needApp, getDelivery},
	{"POST /app/hook/deliveries/{id}/attempts", needApp, redeliver},
	{"GET /installation/repositories", needInstallation, listInstalled},
	{"GET /repos/{owner}/{repo}/installation", needApp, getRepositoryInstallation},
	{"GET /repos/{owner}/{repo}", "metadata:read", getRepository},
	{"GET /repos/{owner}/{repo}/collaborators/{user}/permission", "metadata:read", getPermission},
	{"GET /rate_limit", needNobody, getRateLimit},
	{"GET /user", needNobody, getUser},
	{"GET /users/{user}", needNobody, getUser},
}

func getApp(q *call) reply { return ok(q.f.appJSON(q.who.app)) }

func (q *call) installations() []*installation {
	var mine []*installation
	for _, i := range q.f.installs {
		if i.app == q.who.app {
			mine = append(mine, i)
		}
	}
	return mine
}

func listInstallations(q *call) reply { return ok(page(q, q.installations(), q.f.installationJSON)) }

func (q *call) installation() *installation {
	id := q.number("id")
	for _, i := range q.installations() {
		if i.id == id {
			return i
		}
	}
	return nil
}

func getInstallation(q *call) reply {
	if i := q.installation(); i != nil {
		return ok(q.f.installationJSON(i))
	}
	return notFound
}

func createToken(q *call) reply {
	i := q.installation()
	if i == nil {
		return notFound
	}
	if i.suspended {
		return fail(http.StatusForbidden, "This installation has been suspended")
	}
	var asked struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if bad, good := q.read(&asked); !good {
		return bad
	}
	var scope map[int64]bool
	for _, name := range asked.Repositories {
		if repo := q.f.repository(i.owner.login, name); repo != nil {
			asked.RepositoryIDs = append(asked.RepositoryIDs, repo.ID)
		} else {
			asked.RepositoryIDs = append(asked.RepositoryIDs, -1)
		}
	}
	for _, id := range asked.RepositoryIDs {
		if !i.repos[id] {
			return fail(http.StatusUnprocessableEntity, "There is at least one repository that does not exist or is not accessible to the parent installation.")
		}
		if scope == nil {
			scope = map[int64]bool{}
		}
		scope[id] = true
	}
	for name, level := range asked.Permissions {
		if have := i.app.permissions[name]; have != level && have != "write" {
			return fail(http.StatusUnprocessableEntity, "The permissions requested are not granted to this installation.")
		}
	}
	token, c := q.f.mintInstallationToken(i, scope, asked.Permissions)
	body := object{"token": token, "expires_at": stamp(c.expires), "permissions": c.permissions, "repository_selection": "selected"}
	if scope != nil {
		repos := []object{}
		for _, repo := range q.f.repos {
			if scope[repo.ID] {
				repos = append(repos, repo.json())
			}
		}
		body["repositories"] = repos
	}
	return reply{http.StatusCreated, body}
}

func listInstalled(q *call) reply {
	var mine []*Repository
	for _, repo := range q.f.repos {
		if q.who.install.repos[repo.ID] && (q.who.repos == nil || q.who.repos[repo.ID]) {
			mine = append(mine, repo)
		}
	}
	return ok(object{"total_count": len(mine), "repository_selection": "selected", "repositories": page(q, mine, (*Repository).json)})
}

func getRepositoryInstallation(q *call) reply {
	if i := q.f.installed(q.who.app, q.repo); i != nil {
		return ok(q.f.installationJSON(i))
	}
	return notFound
}

func getRepository(q *call) reply {
	o := q.repo.json()
	o["subscribers_count"], o["network_count"] = 0, 0
	return ok(o)
}

func getPermission(q *call) reply {
	a, found := q.f.byLogin(q.r.PathValue("user"))
	if !found {
		return notFound
	}
	role := q.repo.role(a.id)
	permission := role
	switch role {
	case "triage":
		permission = "read"
	case "maintain":
		permission = "write"
	}
	user := q.f.accountObject(a)
	rank := roleRank[role]
	user["permissions"] = object{"pull": rank >= 1, "triage": rank >= 2, "push": rank >= 3, "maintain": rank >= 4, "admin": rank >= 5}
	user["role_name"] = role
	return ok(object{"permission": permission, "role_name": role, "user": user})
}

func getUser(q *call) reply {
	login := q.r.PathValue("user")
	if login == "" {
		if q.who == nil || q.who.user == nil {
			return fail(http.StatusForbidden, "Resource not accessible by integration")
		}
		login = q.who.user.Login
	}
	if a, found := q.f.byLogin(login); found {
		return ok(q.f.profileJSON(a))
	}
	return notFound
}

func getRateLimit(q *call) reply {
	core := object{"limit": q.f.options.RateLimit, "used": 0, "remaining": q.f.options.RateLimit, "reset": q.f.now().Add(time.Hour).Unix()}
	if q.who != nil {
		q.who.limit.used-- // asking costs nothing
		use := q.who.limit
		core["used"], core["remaining"], core["reset"] = use.used, max(0, q.f.options.RateLimit-use.used), use.reset.Unix()
	}
	search := object{"limit": 30, "used": 0, "remaining": 30, "reset": q.f.now().Add(time.Minute).Unix()}
	return ok(object{"resources": object{"core": core, "search": search}, "rate": core})
}

func deliveryJSON(d *Delivery) object {
	state := "OK"
	if d.StatusCode < 200 || d.StatusCode > 299 {
		state = http.StatusText(d.StatusCode)
		if d.StatusCode == http.StatusBadGateway {
			state = "failed to connect to host"
		}
	}
	o := object{"id": d.ID, "guid": d.GUID, "delivered_at": stamp(d.DeliveredAt), "redelivery": d.Redelivery, "duration": d.Duration.Seconds(),
		"status": state, "status_code": d.StatusCode, "event": d.Event, "action": orNull(d.Action), "installation_id": nil, "repository_id": nil, "throttled_at": nil}
	if d.InstallationID != 0 {
		o["installation_id"] = d.InstallationID
	}
	if d.RepositoryID != 0 {
		o["repository_id"] = d.RepositoryID
	}
	return o
}

// delivered lists the App's deliveries that had their moment, newest first.
func (q *call) delivered() []*Delivery {
	var mine []*Delivery
	for _, d := range slices.Backward(q.f.deliveries) {
		if d.AppID == q.who.app.ID && d.StatusCode != 0 {
			mine = append(mine, d)
		}
	}
	return mine
}

// listDeliveries pages by cursor, as GitHub does here: the id before which to go on.
func listDeliveries(q *call) reply {
	all := q.delivered()
	if cursor := q.query("cursor"); cursor != "" {
		i := slices.IndexFunc(all, func(d *Delivery) bool { return text(d.ID) == strings.TrimPrefix(cursor, "v1_") })
		all = all[i+1:]
	}
	list := page(q, all, deliveryJSON)
	q.link = ""
	if len(list) < len(all) && len(list) > 0 {
		values := q.r.URL.Query()
		values.Set("cursor", "v1_"+text(all[len(list)-1].ID))
		q.link = "<" + q.f.url + q.r.URL.Path + "?" + values.Encode() + `>; rel="next"`
	}
	return ok(list)
}

func (q *call) delivery() *Delivery {
	id := q.number("id")
	for _, d := range q.f.deliveries {
		if d.ID == id && d.AppID == q.who.app.ID {
			return d
		}
	}
	return nil
}

func getDelivery(q *call) reply {
	d := q.delivery()
	if d == nil {
		return notFound
	}
	o := deliveryJSON(d)
	o["request"] = object{"headers": object{"X-GitHub-Event": d.Event, "X-GitHub-Delivery": d.GUID}, "payload": json.RawMessage(d.Body)}
	o["response"] = object{"headers": object{}, "payload": ""}
	return ok(o)
}

func redeliver(q *call) reply {
	d := q.delivery()
	if d == nil {
		return notFound
	}
	q.f.redeliver(d)
	return reply{http.StatusAccepted, object{}}
}
