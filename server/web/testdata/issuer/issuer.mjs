// An issuer of identity tokens as GitHub's runners meet it, made of oauth2-mock-server.
// GET /token?audience=A with a bearer gives {count, value}; POST /control changes what
// the next tokens say: {kid} makes a key of that id and signs by it, {claims}, {expiresIn}.
import http from 'node:http';
import { OAuth2Issuer } from 'oauth2-mock-server';

const issuer = new OAuth2Issuer();
let kid = 'one', claims = {}, expiresIn = 300;
await issuer.keys.generate('RS256', { kid });

const server = http.createServer(async (request, response) => {
  const at = new URL(request.url, issuer.url);
  const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (at.pathname === '/.well-known/jwks') return answer(200, { keys: issuer.keys.toJSON() });
  if (at.pathname === '/control') {
    let text = '';
    for await (const part of request) text += part;
    const change = JSON.parse(text);
    if (change.kid) await issuer.keys.generate('RS256', { kid: kid = change.kid });
    claims = change.claims ?? claims;
    expiresIn = change.expiresIn ?? expiresIn;
    return answer(200, {});
  }
  if (at.pathname !== '/token' || request.headers.authorization !== 'Bearer the-job') return answer(401, { message: 'not you' });
  const value = await issuer.buildToken({ kid, expiresIn, scopesOrTransform: (_header, payload) => {
    Object.assign(payload, { sub: 'repo:o/r:ref:refs/heads/mainstay/main/41', aud: at.searchParams.get('audience'),
      repository: 'o/r', repository_id: '7', repository_owner: 'o', run_id: '100', run_attempt: '1', check_run_id: '900', sha: 'tested',
      ref: 'refs/heads/mainstay/main/41', event_name: 'push', workflow_ref: 'o/r/.github/workflows/test.yml@refs/heads/mainstay/main/41',
      runner_environment: 'github-hosted', jti: crypto.randomUUID() }, claims);
  } });
  answer(200, { count: value.length, value });
});
server.listen(0, '127.0.0.1', () => {
  issuer.url = `http://127.0.0.1:${server.address().port}`;
  console.log(issuer.url);
});
process.stdin.on('end', () => process.exit(0)).resume();
