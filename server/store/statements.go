package store

// Every statement stands here, so that one test can ask SQLite for the plan of
// each and refuse those that walk a table.

const (
	sqlFindQueue = `SELECT id, installation, repository, owner, name, branch FROM queues WHERE repository = ? AND branch = ?`

	sqlAddQueue = `INSERT INTO queues (installation, repository, owner, name, branch, header) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (repository, branch) DO NOTHING`

	// A renamed or moved repository is renamed for each of its queues.
	sqlRenameQueues = `UPDATE queues SET installation = ?, owner = ?, name = ? WHERE repository = ?`

	// The one statement that walks a table: the list of queues is what it is asked for.
	sqlAllQueues = `SELECT id, installation, repository, owner, name, branch FROM queues ORDER BY id`

	sqlQueuesOf = `SELECT id, installation, repository, owner, name, branch FROM queues WHERE repository = ? ORDER BY branch`

	sqlVersion = `SELECT version FROM queues WHERE id = ?`

	sqlLoadQueue = `SELECT id, installation, repository, owner, name, branch, version, header FROM queues WHERE id = ?`

	sqlLoadEntries = `SELECT body FROM entries WHERE queue = ? ORDER BY pr`

	sqlEntry = `SELECT body FROM entries WHERE queue = ? AND pr = ?`

	sqlLoadBatches = `SELECT body FROM batches WHERE queue = ? ORDER BY id`

	sqlLoadAttempts = `SELECT body FROM attempts WHERE queue = ? ORDER BY id`
)

const (
	sqlGreetings = `SELECT what FROM greetings WHERE repository = ? ORDER BY what`

	sqlKeepGreeting = `INSERT INTO greetings (repository, what, at) VALUES (?, ?, ?) ON CONFLICT (repository, what) DO NOTHING`
)

const (
	sqlMark = `SELECT value FROM marks WHERE name = ?`

	sqlSetMark = `INSERT INTO marks (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = max(value, ?2)`

	sqlBusy = `SELECT EXISTS (SELECT 1 FROM entries LIMIT 1)`
)

const (
	sqlAddLesson = `INSERT INTO lessons (name, at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`

	sqlFindTestSuite = `SELECT id, version, body FROM test_suites WHERE repository = ? AND suite = ? AND variant = ?`

	sqlTestSuites = `SELECT suite, variant FROM test_suites WHERE repository = ? ORDER BY suite, variant`

	sqlAddTestSuite = `INSERT INTO test_suites (repository, suite, variant, body) VALUES (?, ?, ?, ?)`

	sqlPutTestSuite = `UPDATE test_suites SET version = ?, body = ? WHERE id = ?`

	sqlTests = `SELECT body FROM tests WHERE suite = ? ORDER BY key`

	sqlPutTest = `INSERT INTO tests (suite, key, body) VALUES (?, ?, ?)
		ON CONFLICT (suite, key) DO UPDATE SET body = excluded.body`

	sqlQuarantine = `SELECT body FROM quarantine WHERE suite = ? ORDER BY key, since`

	sqlPutQuarantine = `INSERT INTO quarantine (suite, key, since, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (suite, key, since) DO UPDATE SET body = excluded.body`

	sqlPruneLessons = `DELETE FROM lessons WHERE id IN (SELECT id FROM lessons WHERE at < ? LIMIT ?)`
)

const (
	// The guard: no row is changed unless the version is the one the caller saw.
	sqlAdvance = `UPDATE queues SET version = version + 1 WHERE id = ? AND version = ?`

	sqlPutHeader = `UPDATE queues SET header = ? WHERE id = ?`

	sqlPutEntry = `INSERT INTO entries (queue, pr, phase, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (queue, pr) DO UPDATE SET phase = excluded.phase, body = excluded.body`

	sqlDropEntry = `DELETE FROM entries WHERE queue = ? AND pr = ?`

	sqlPutBatch = `INSERT INTO batches (queue, id, body) VALUES (?, ?, ?)
		ON CONFLICT (queue, id) DO UPDATE SET body = excluded.body`

	sqlDropBatch = `DELETE FROM batches WHERE queue = ? AND id = ?`

	sqlPutAttempt = `INSERT INTO attempts (queue, id, phase, ticket, commit_id, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (queue, id) DO UPDATE SET phase = excluded.phase, ticket = excluded.ticket,
			commit_id = excluded.commit_id, body = excluded.body`

	sqlDropAttempt = `DELETE FROM attempts WHERE queue = ? AND id = ?`

	sqlAddEnded = `INSERT INTO ended (queue, pr, body) VALUES (?, ?, ?)`

	sqlAddRuling = `INSERT INTO rulings (queue, pr, refused, at, body) VALUES (?, ?, ?, ?, ?)`

	sqlAddReceipt = `INSERT INTO receipts (queue, commit_id, body) VALUES (?, ?, ?)`

	sqlConsumeEvent = `DELETE FROM events WHERE id = ? AND queue = ?`

	sqlPutEffect = `INSERT INTO effects (queue, key, due, kind, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (queue, key) DO UPDATE SET generation = generation + 1, tries = 0, last_error = '',
			due = excluded.due, kind = excluded.kind, body = excluded.body`
)

const (
	sqlAddEvent = `INSERT INTO events (queue, at, kind, body) VALUES (?, ?, ?, ?)`

	sqlUnread = `SELECT id, at, kind, body FROM events WHERE queue = ? ORDER BY id LIMIT ?`

	// It jumps from queue to queue through the index instead of walking the events.
	sqlQueuesWithUnread = `WITH RECURSIVE jump (queue) AS (
			SELECT min(queue) FROM events
			UNION ALL
			SELECT (SELECT min(queue) FROM events WHERE queue > jump.queue) FROM jump WHERE jump.queue IS NOT NULL
		) SELECT queue FROM jump WHERE queue IS NOT NULL`

	sqlSetAside = `INSERT INTO set_aside (queue, at, kind, body, why) SELECT queue, at, kind, body, ? FROM events WHERE id = ? AND queue = ?`

	sqlAside = `SELECT queue, at, kind, why FROM set_aside WHERE id > 0 ORDER BY id DESC LIMIT ?`
)

const (
	sqlDue = `SELECT id, queue, generation, tries, key, due, kind, body FROM effects WHERE due <= ? ORDER BY due, id LIMIT ?`

	sqlNextDue = `SELECT due FROM effects ORDER BY due LIMIT 1`

	sqlFinishEffect = `DELETE FROM effects WHERE id = ? AND generation = ?`

	sqlDeferEffect = `UPDATE effects SET tries = tries + 1, due = ?, last_error = ? WHERE id = ? AND generation = ?`

	// What was tried and put off is due again, whatever it waits for.
	sqlHasten = `UPDATE effects SET due = ? WHERE queue = ? AND tries > 0`

	sqlPending = `SELECT id, queue, generation, tries, key, due, kind, body FROM effects WHERE queue = ? ORDER BY key`
)

const (
	sqlKeepDelivery = `INSERT INTO deliveries (guid, at, event, body) VALUES (?, ?, ?, ?) ON CONFLICT (guid) DO NOTHING`

	sqlUnreadDeliveries = `SELECT guid, event, body, at FROM deliveries WHERE done = 0 ORDER BY id LIMIT ?`

	sqlDeliveryDone = `SELECT done FROM deliveries WHERE guid = ?`

	// The guid stays, so that a delivery sent once more is still known.
	sqlFinishDelivery = `UPDATE deliveries SET done = 1, body = x'' WHERE guid = ? AND done = 0`

	sqlPruneDeliveries = `DELETE FROM deliveries WHERE id IN (
			SELECT id FROM deliveries WHERE done = 1 AND at < ? ORDER BY at LIMIT ?)`

	sqlPruneReports = `DELETE FROM reports WHERE id IN (SELECT id FROM reports WHERE at < ? ORDER BY at LIMIT ?)`
)

const (
	sqlFindAttempt = `SELECT q.id, q.installation, q.repository, q.owner, q.name, q.branch, a.body
		FROM attempts AS a JOIN queues AS q ON q.id = a.queue
		WHERE a.commit_id = ? AND a.commit_id <> '' AND a.phase <> 'dead' AND q.repository = ?
		ORDER BY a.rowid DESC LIMIT 1`

	sqlFindDead = `SELECT q.id, q.installation, q.repository, q.owner, q.name, q.branch, a.body
		FROM attempts AS a JOIN queues AS q ON q.id = a.queue
		WHERE a.commit_id = ? AND a.commit_id <> '' AND a.phase = 'dead' AND q.repository = ?
		ORDER BY a.rowid DESC LIMIT 1`

	sqlFindLanded = `SELECT q.id, q.installation, q.repository, q.owner, q.name, q.branch, r.body
		FROM receipts AS r JOIN queues AS q ON q.id = r.queue
		WHERE r.commit_id = ? AND q.repository = ? ORDER BY r.id DESC LIMIT 1`

	sqlKeepReport = `INSERT INTO reports (queue, key, digest, at, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (queue, key) DO NOTHING`

	sqlReportDigest = `SELECT digest FROM reports WHERE queue = ? AND key = ?`

	sqlReportBodies = `SELECT body FROM reports WHERE queue = ? AND key >= ? AND key < ? ORDER BY key`

	sqlKeepPullReport = `INSERT INTO pull_reports (queue, pr, key, at, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (queue, pr, key) DO UPDATE SET body = excluded.body`

	sqlPullReports = `SELECT body FROM pull_reports WHERE queue = ? AND pr = ? ORDER BY id DESC LIMIT ?`

	sqlPrunePullReports = `DELETE FROM pull_reports WHERE id IN (SELECT id FROM pull_reports WHERE at < ? ORDER BY at LIMIT ?)`

	sqlEnded = `SELECT body FROM ended WHERE queue = ? ORDER BY id DESC LIMIT ?`

	sqlRulings = `SELECT body FROM rulings WHERE queue = ? ORDER BY id DESC LIMIT ?`

	sqlRefusals = `SELECT body FROM rulings WHERE queue = ? AND refused = 1 ORDER BY id DESC LIMIT ?`

	sqlRulingsOfPull = `SELECT body FROM rulings WHERE queue = ? AND pr = ? ORDER BY id DESC LIMIT ?`

	sqlReceipts = `SELECT body FROM receipts WHERE queue = ? ORDER BY id DESC LIMIT ?`

	sqlReceipt = `SELECT body FROM receipts WHERE commit_id = ? ORDER BY id DESC LIMIT 1`
)

const (
	sqlFreezePlan = `INSERT INTO plans (id, repository, run, suite, variant, total, inventory, at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (repository, run, suite, variant, total) DO NOTHING`

	sqlPlanByKey = `SELECT body FROM plans WHERE repository = ? AND run = ? AND suite = ? AND variant = ? AND total = ?`

	sqlPlanByID = `SELECT body FROM plans WHERE repository = ? AND id = ?`

	sqlPlanOfInventory = `SELECT body FROM plans WHERE repository = ? AND suite = ? AND variant = ? AND inventory = ? AND inventory <> '' LIMIT 1`

	sqlPrunePlans = `DELETE FROM plans WHERE rowid IN (SELECT rowid FROM plans WHERE at < ? ORDER BY at LIMIT ?)`

	sqlTimings = `SELECT item, ms, n, at FROM timings WHERE repository = ? AND suite = ? AND variant = ? ORDER BY item`

	sqlSamples = `SELECT samples FROM timings WHERE repository = ? AND suite = ? AND variant = ? AND item = ?`

	sqlPutTiming = `INSERT INTO timings (repository, suite, variant, item, ms, n, at, samples) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (repository, suite, variant, item) DO UPDATE SET ms = excluded.ms, n = excluded.n, at = excluded.at, samples = excluded.samples`

	sqlTestTimings = `SELECT body FROM test_timings WHERE repository = ? AND suite = ? AND variant = ? AND item = ?`

	sqlPutTestTimings = `INSERT INTO test_timings (repository, suite, variant, item, at, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (repository, suite, variant, item) DO UPDATE SET at = excluded.at, body = excluded.body`

	sqlPruneTimings = `DELETE FROM timings WHERE (repository, suite, variant, item) IN (
			SELECT repository, suite, variant, item FROM timings WHERE at < ? ORDER BY at LIMIT ?)`

	sqlPruneTestTimings = `DELETE FROM test_timings WHERE rowid IN (SELECT rowid FROM test_timings WHERE at < ? ORDER BY at LIMIT ?)`
)

const (
	sqlPlanOfRun = `SELECT body FROM plans WHERE repository = ? AND id = ? AND run = ?`

	sqlPool = `SELECT body FROM pools WHERE repository = ? AND plan = ?`

	sqlPutPool = `INSERT INTO pools (repository, plan, at, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (repository, plan) DO UPDATE SET at = excluded.at, body = excluded.body`

	sqlPrunePools = `DELETE FROM pools WHERE (repository, plan) IN (
			SELECT repository, plan FROM pools WHERE at < ? ORDER BY at LIMIT ?)`
)
