package shard

// A host without OIDC has a secret that it shares with the server, and says by
// itself what it is. Whoever may push to the repository can read the secret and
// say anything: so such a caller is answered, and believed nothing.

// SecretScheme stands before the secret in the Authorization header.
const SecretScheme = "Mainstay"

// The headers by which a caller with the shared secret says what it is.
const (
	HeaderRepository = "Mainstay-Repository-Id"
	HeaderRun        = "Mainstay-Run-Id"
	HeaderRunAttempt = "Mainstay-Run-Attempt"
	HeaderRef        = "Mainstay-Ref"
	HeaderSHA        = "Mainstay-Sha"
	HeaderEvent      = "Mainstay-Event"
)
