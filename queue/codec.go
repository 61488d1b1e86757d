package queue

import (
	"encoding/json"
	"fmt"
)

// EncodeFact gives a fact's kind and its JSON, as a store keeps it.
func EncodeFact(f Fact) (kind string, body []byte, err error) {
	body, err = json.Marshal(f)
	return f.fact(), body, err
}

// EncodeTask gives a task's kind and its JSON, as a store keeps it.
func EncodeTask(t Task) (kind string, body []byte, err error) {
	body, err = json.Marshal(t)
	return t.task(), body, err
}

// DecodeFact is EncodeFact's inverse; an unknown kind is an error.
func DecodeFact(kind string, body []byte) (Fact, error) {
	if read, ok := facts[kind]; ok {
		return read(body)
	}
	return nil, fmt.Errorf("decode fact: unknown kind %q", kind)
}

// DecodeTask is EncodeTask's inverse; an unknown kind is an error.
func DecodeTask(kind string, body []byte) (Task, error) {
	if read, ok := tasks[kind]; ok {
		return read(body)
	}
	return nil, fmt.Errorf("decode task: unknown kind %q", kind)
}

var facts = map[string]func([]byte) (Fact, error){}

var tasks = map[string]func([]byte) (Task, error){}

func init() {
	registerFact[PullRequestHinted]()
	registerFact[PullRequestRead]()
	registerFact[WishesFound]()
	registerFact[CommandHinted]()
	registerFact[CommandsRead]()
	registerFact[ButtonHinted]()
	registerFact[ButtonPressed]()
	registerFact[LabelSet]()
	registerFact[BaseHinted]()
	registerFact[BaseRead]()
	registerFact[HeadSeen]()
	registerFact[AttemptBuilt]()
	registerFact[BuildFailed]()
	registerFact[TicketPushed]()
	registerFact[TicketFailed]()
	registerFact[ResultsHinted]()
	registerFact[ResultsRead]()
	registerFact[ShardStarted]()
	registerFact[ShardReported]()
	registerFact[ReportsFound]()
	registerFact[MembersRead]()
	registerFact[HeadsMoved]()
	registerFact[LandingTried]()
	registerFact[Abandoned]()
	registerFact[CheckPosted]()
	registerFact[Settled]()
	registerFact[Audited]()
	registerFact[PauseAsked]()
	registerFact[ResumeAsked]()
	registerFact[LeaveAsked]()
	registerFact[Restarted]()
	registerFact[TimePassed]()

	registerTask[ReadPullRequest]()
	registerTask[ReadCommands]()
	registerTask[ReadPress]()
	registerTask[AddLabel]()
	registerTask[React]()
	registerTask[ReadBase]()
	registerTask[FindWishes]()
	registerTask[BuildAttempt]()
	registerTask[FetchHead]()
	registerTask[PushTicket]()
	registerTask[ReadResults]()
	registerTask[ReadMembers]()
	registerTask[MoveHeads]()
	registerTask[MoveBase]()
	registerTask[AbandonAttempt]()
	registerTask[CancelRuns]()
	registerTask[PostCheck]()
	registerTask[RemoveLabel]()
	registerTask[PostComment]()
	registerTask[SettleLanded]()
	registerTask[AuditLanding]()
	registerTask[LearnTests]()
	registerTask[FindReports]()
	registerTask[FindPullReports]()
	registerTask[Wake]()
}

func registerFact[F Fact]() {
	var zero F
	facts[zero.fact()] = func(body []byte) (Fact, error) {
		var f F
		err := json.Unmarshal(body, &f)
		return f, err
	}
}

func registerTask[T Task]() {
	var zero T
	tasks[zero.task()] = func(body []byte) (Task, error) {
		var t T
		err := json.Unmarshal(body, &t)
		return t, err
	}
}
