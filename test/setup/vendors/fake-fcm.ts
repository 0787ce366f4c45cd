/**
 * Google's token endpoint and Firebase Cloud Messaging's HTTP v1 API as their documentation describes them: the assertion, the bearer token and the
 * message are judged, what arrives is kept, and the answer is as told, in the form of the documented errors.
 */
import { generateKeyPairSync } from 'node:crypto';
import { jwtVerify } from 'jose';
import { startHttpVendor } from '../../contract/adapters/http-vendor.ts';
import type {
  HttpVendor,
  VendorAnswer,
  VendorRequest,
} from '../../contract/adapters/http-vendor.ts';

export type FcmAnswer =
  | 'silent'
  | {
      readonly status: number;
      /** Of Google's API. */
      readonly code?: string;
      /** FCM's own, in a detail. */
      readonly errorCode?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

const PROJECT = 'bank-app';
const EMAIL = 'push@bank-app.iam.gserviceaccount.com';
const KEY = 'a1b2c3';
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const EXPIRES_IN = 3599;

export class FakeFcm {
  readonly messages: Readonly<Record<string, unknown>>[] = [];
  tokensGiven = 0;
  answer: FcmAnswer = { status: 200 };
  /** Of the token endpoint. */
  tokenAnswer: 'silent' | { readonly status: number } = { status: 200 };
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #vendor: HttpVendor;
  readonly #now: () => number;

  private constructor(vendor: HttpVendor, now: () => number) {
    this.#vendor = vendor;
    this.#now = now;
    vendor.answer = (request) => this.#judge(request);
  }

  static async start(now: () => number = () => Date.now()): Promise<FakeFcm> {
    return new FakeFcm(await startHttpVendor(), now);
  }

  get endpoint(): string {
    return this.#vendor.url;
  }

  /** The key file that an operator would download. */
  get serviceAccount() {
    return {
      type: 'service_account' as const,
      project_id: PROJECT,
      private_key_id: KEY,
      private_key: this.#keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      client_email: EMAIL,
      token_uri: `${this.endpoint}/token`,
    };
  }

  stop(): Promise<void> {
    return this.#vendor.stop();
  }

  async #judge(request: VendorRequest): Promise<VendorAnswer> {
    if (request.path === '/token') return await this.#giveToken(request);
    if (request.path !== `/v1/projects/${PROJECT}/messages:send`) return { status: 404 };
    if (request.headers.authorization !== `Bearer token-${String(this.tokensGiven)}`)
      return errorAnswer({ status: 401, code: 'UNAUTHENTICATED' });
    // The adapter sends JSON alone.
    const { message } = JSON.parse(request.body) as { message: Record<string, unknown> };
    if (typeof message['token'] !== 'string')
      return errorAnswer({
        status: 400,
        code: 'INVALID_ARGUMENT',
        errorCode: 'INVALID_ARGUMENT',
      });
    this.messages.push(message);
    if (this.answer === 'silent') return 'silent';
    if (this.answer.status !== 200) return errorAnswer(this.answer);
    return json(200, { name: `projects/${PROJECT}/messages/0:1500415314455276%31bd1c9631bd1c96` });
  }

  async #giveToken({ body, headers }: VendorRequest): Promise<VendorAnswer> {
    if (this.tokenAnswer === 'silent') return 'silent';
    if (this.tokenAnswer.status !== 200)
      return json(this.tokenAnswer.status, { error: 'invalid_grant' });
    const form = new URLSearchParams(body);
    const isGrant =
      headers['content-type'] === 'application/x-www-form-urlencoded' &&
      form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    if (!isGrant) return json(400, { error: 'unsupported_grant_type' });
    try {
      const { payload, protectedHeader } = await jwtVerify(
        form.get('assertion') ?? '',
        this.#keys.publicKey,
        {
          issuer: EMAIL,
          audience: `${this.endpoint}/token`,
          algorithms: ['RS256'],
          maxTokenAge: '1h',
          currentDate: new Date(this.#now()),
        },
      );
      if (protectedHeader.kid !== KEY || payload['scope'] !== SCOPE) throw new Error('other');
    } catch {
      return json(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
    }
    this.tokensGiven += 1;
    return json(200, {
      access_token: `token-${String(this.tokensGiven)}`,
      expires_in: EXPIRES_IN,
      token_type: 'Bearer',
    });
  }
}

/** google.rpc.Status as the HTTP v1 API answers it. */
function errorAnswer({
  status,
  code = 'UNKNOWN',
  errorCode,
  headers,
}: Exclude<FcmAnswer, 'silent'>): VendorAnswer {
  const type = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
  return json(
    status,
    {
      error: {
        code: status,
        message: 'Requested entity was not found.',
        status: code,
        ...(errorCode === undefined ? {} : { details: [{ '@type': type, errorCode }] }),
      },
    },
    headers,
  );
}

function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): VendorAnswer {
  return {
    status,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
}
