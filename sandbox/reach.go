package sandbox

// Rename gives the repository another name. The old one leads nowhere, as when
// somebody else has taken it: on GitHub it may be redirected for a while.
func (r *Repository) Rename(name string) {
	f := r.forge
	f.mu.Lock()
	defer f.mu.Unlock()
	old := r.Name
	r.Name = name
	r.emit(&credential{who: r.owner}, "repository", "renamed", object{"changes": object{"repository": object{"name": object{"from": old}}}})
	f.touch()
}

// Archive makes the repository readable only, or ends that.
func (r *Repository) Archive(archived bool) {
	f := r.forge
	f.mu.Lock()
	defer f.mu.Unlock()
	r.archived = archived
	action := "archived"
	if !archived {
		action = "unarchived"
	}
	r.emit(&credential{who: r.owner}, "repository", action, object{})
	f.touch()
}

// Suspend takes everything from the App's installation on the repository's owner
// until it is given back; its tokens are good for nothing meanwhile.
func (r *Repository) Suspend(app *App, suspended bool) {
	f := r.forge
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.installOf(app, r.owner)
	if i == nil {
		return
	}
	i.suspended = suspended
	action := "suspend"
	if !suspended {
		action = "unsuspend"
	}
	if app.listens("installation") {
		f.dispatch(app, &Delivery{Event: "installation", Action: action, InstallationID: i.id}, object{"action": action,
			"installation": f.installationJSON(i), "repositories": []object{r.brief()}, "sender": f.accountJSON(r.owner)})
	}
	f.touch()
}
