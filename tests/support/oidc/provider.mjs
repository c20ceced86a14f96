// provider.mjs — a real OpenID Connect provider on loopback for the scenario tests. Its pages are its own development forms, which the
// test's browser fills in. Whoever signs in is whom the test said before; the keys are replaced when the test says so.
//
//   node provider.mjs HOST PORT REDIRECT_URI CLIENT_SECRET
//
// POST /test/accounts {login: {claims}}  the people, from now on
// POST /test/keys {alg, keep}            a new key of this algorithm; `keep`: the old ones are still published behind it
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import Provider from 'oidc-provider';

const [host, port, redirectUri, secret] = process.argv.slice(2);
const issuer = `http://${host}:${port}`;
let accounts = {};
let keys = [];
let handler;

function makeKey(alg) {
  const pair = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  }[alg]();
  return { ...pair.privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg, use: 'sig' };
}

function restart(alg, keep) {
  keys = [makeKey(alg), ...(keep ? keys : [])];
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'bimodal',
      client_secret: secret,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: alg,
    }],
    jwks: { keys },
    cookies: { keys: ['of a test'] },
    pkce: { methods: ['S256'], required: () => true },
    conformIdTokenClaims: false,
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username', 'groups'],
      email: ['email', 'email_verified'],
    },
    findAccount: (ctx, login) => accounts[login] && {
      accountId: login,
      claims: () => ({ sub: login, preferred_username: login, ...accounts[login] }),
    },
    ttl: { Session: 3600, Grant: 3600, Interaction: 600, IdToken: 3600, AccessToken: 600 },
  });
  handler = provider.callback();
}

// Its forms would ask another host for a font: that line of their style becomes spaces, so that their length stays.
function withoutFont(response) {
  const end = response.end;
  response.end = function (body, ...more) {
    const text = typeof body === 'string' ? body.replace(/@import url\(https:[^)]*\);?/g, (line) => ' '.repeat(line.length)) : body;
    return end.call(this, text, ...more);
  };
  return response;
}

async function told(request) {
  let text = '';
  for await (const part of request) text += part;
  return JSON.parse(text);
}

restart('RS256', false);
createServer(async (request, response) => {
  if (request.url === '/test/accounts') {
    accounts = { ...accounts, ...await told(request) };
    response.end();
  } else if (request.url === '/test/keys') {
    const { alg, keep } = await told(request);
    restart(alg, keep);
    response.end();
  } else {
    handler(request, withoutFont(response));
  }
}).listen(Number(port), host, () => console.log('listening'));
