// A real OpenID provider for tests: oidc-provider over plain HTTP on loopback, with a second port to change it while it runs.
//
//   node provider.mjs settings.json
//
// settings.json: {port?, issuer?, clients, users, resources, token_claims, token_seconds, algorithm, options}, each as below. When both ports
// listen, one line of JSON {issuer, port, control} goes to standard output.
//
//   clients       oidc-provider's client metadata, as in RFC 7591
//   users         {login: {claim: value}}: whoever signs in by this name (any password will do) has these claims
//   resources     {resource indicator: audience}: what access tokens can be asked for; they are JWTs
//   token_claims  {client_id: {claim: value}}: extra claims of access tokens
//   login         {amr, acr}: how everybody signs in from now on
//   options       laid over the configuration of oidc-provider, one level deep
//
// The control port takes JSON by POST: /settings lays its body over the settings (and makes the provider anew, with the same keys
// and the same stored grants), /rotate {keep, algorithm} makes new keys, /mode {mode} is `up`, `down` (nobody listens), `error`
// (500 to everything), `hang` (no answer), `slow` (after `seconds`), `huge` (an endless answer) or `redirect` (to `location`), and
// /stop ends the process. GET /keys answers the private keys (tests forge tokens with them), /requests how often each path was asked.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';

import { Provider } from 'oidc-provider';

const KINDS = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  EdDSA: ['ed25519', {}],
};

let settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
let requests = {};
let mode = { mode: 'up' };
let keys = [makeKey(settings.algorithm ?? 'RS256')];
let handle;

function makeKey(algorithm) {
  const [kind, parameters] = KINDS[algorithm];
  const jwk = generateKeyPairSync(kind, parameters).privateKey.export({ format: 'jwk' });
  return { ...jwk, kid: randomUUID(), use: 'sig', alg: algorithm };
}

function configuration() {
  const resources = settings.resources ?? {};
  const users = settings.users ?? {};
  const names = new Set(Object.values(users).flatMap((claims) => Object.keys(claims)));
  const { features, ...options } = settings.options ?? {};
  return {
    adapter: Kept,
    clients: (settings.clients ?? []).map((client) => ({ id_token_signed_response_alg: keys[0].alg, ...client })),
    jwks: { keys },
    cookies: { keys: ['tests only'] },
    claims: { openid: ['sub', ...Object.keys(settings.login ?? {}), ...names] },
    // Clients stand on loopback here, which the library's own way of asking refuses.
    fetch: (url, { dispatcher, ...more }) => fetch(url, more),
    conformIdTokenClaims: false,
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    ttl: { AccessToken: settings.token_seconds ?? 600, ClientCredentials: settings.token_seconds ?? 600 },
    findAccount: (_, login) => (login in (settings.users ?? {}) ? account(login) : undefined),
    extraTokenClaims: (_, token) => settings.token_claims?.[token.clientId],
    ...options,
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, indicator) => {
          if (!(indicator in resources)) throw new Error(`no resource ${indicator}`);
          return {
            scope: 'openid offline_access',
            audience: resources[indicator],
            accessTokenFormat: 'jwt',
            accessTokenTTL: settings.token_seconds ?? 600,
            jwt: { sign: { alg: keys[0].alg } },
          };
        },
      },
      ...features,
    },
  };
}

function account(login) {
  return { accountId: login, claims: () => ({ sub: login, ...settings.users[login] }) };
}

// What was stored outlives a provider that is made anew; the library's own memory does not.
const stored = new Map();

class Kept {
  constructor(model) { this.model = model; }

  key(id) { return `${this.model}:${id}`; }

  async upsert(id, payload) { stored.set(this.key(id), payload); }

  async find(id) { return stored.get(this.key(id)); }

  async findBy(field, value) {
    return [...stored].find(([key, payload]) => key.startsWith(`${this.model}:`) && payload[field] === value)?.[1];
  }

  async findByUserCode(code) { return this.findBy('userCode', code); }

  async findByUid(uid) { return this.findBy('uid', uid); }

  async consume(id) { stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }

  async destroy(id) { stored.delete(this.key(id)); }

  async revokeByGrantId(grant) {
    for (const [key, payload] of stored) if (payload.grantId === grant) stored.delete(key);
  }
}

function remake() {
  const provider = new Provider(issuer, configuration());
  // What the provider's own pages do not know of: how somebody signed in there.
  const finish = provider.interactionFinished.bind(provider);
  provider.interactionFinished = (request, response, result, more) => finish(
    request, response, result.login ? { ...result, login: { ...result.login, ...settings.login } } : result, more,
  );
  provider.on('server_error', (_, error) => console.error(error));
  provider.on('backchannel.error', (_, error) => console.error('logout', error));
  handle = provider.callback();
}

function answer(request, response) {
  const path = new URL(request.url, issuer).pathname;
  requests[path] = (requests[path] ?? 0) + 1;
  switch (mode.mode) {
    case 'error':
      response.writeHead(500).end('broken');
      return;
    case 'hang':
      return;
    case 'slow':
      setTimeout(() => handle(request, response), (mode.seconds ?? 1) * 1000);
      return;
    case 'redirect':
      response.writeHead(302, { location: mode.location }).end();
      return;
    case 'huge':
      response.writeHead(200, { 'content-type': 'application/json' });
      const pour = () => { while (response.write(' '.repeat(65536))); };
      response.on('drain', pour);
      pour();
      return;
    default:
      handle(request, response);
  }
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text ? JSON.parse(text) : {};
}

const listening = (server, port) => new Promise((done, failed) => {
  server.once('error', failed);
  server.listen(port, '127.0.0.1', () => done(server.address().port));
});

async function control(request, response) {
  const asked = await body(request);
  switch (`${request.method} ${request.url}`) {
    case 'GET /keys':
      return { keys };
    case 'GET /requests':
      return requests;
    case 'POST /requests':
      requests = {};
      return {};
    case 'POST /settings':
      settings = { ...settings, ...asked };
      remake();
      return {};
    case 'POST /rotate':
      keys = [makeKey(asked.algorithm ?? keys[0].alg), ...keys.slice(0, asked.keep ?? 0)];
      remake();
      return { kid: keys[0].kid };
    case 'POST /mode':
      if (asked.mode === 'down' && main.listening) {
        main.closeAllConnections();
        await new Promise((done) => { main.close(done); main.closeAllConnections(); });
      } else if (asked.mode !== 'down' && !main.listening) {
        await listening(main, port);
      }
      mode = asked;
      return {};
    case 'POST /stop':
      setImmediate(() => process.exit(0));
      return {};
    default:
      response.statusCode = 404;
      return {};
  }
}

const main = http.createServer(answer);
const port = await listening(main, settings.port ?? 0);
const issuer = settings.issuer ?? `http://127.0.0.1:${port}`;
remake();

const controlled = http.createServer((request, response) => {
  control(request, response).then(
    (value) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value)),
    (error) => { response.statusCode = 500; response.end(String(error)); },
  );
});
const controlPort = await listening(controlled, 0);
console.log(JSON.stringify({ issuer, port, control: `http://127.0.0.1:${controlPort}` }));
// Whoever started this holds its standard input: no provider outlives a test that was killed.
process.stdin.on('end', () => process.exit(0)).resume();
