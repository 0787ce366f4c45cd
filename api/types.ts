/**
 * The types every route works with: the app, and what the frame hangs on a request before its handler runs. Reading something that
 * the operation's kind of caller does not bring is a defect and throws.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { ProofMark } from '../db/dpop.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Acr, AttestationLevel, DeviceStatus } from '../domain/auth-strength.ts';
import type { Policy } from '../domain/policy.ts';
import type { Risk } from '../domain/ports.ts';
import type { StaffRole } from '../domain/staff.ts';
// Adds what routes may say of themselves in the OpenAPI document.
import type {} from '@fastify/swagger';
import type { Door, OperationId } from './access.ts';

export type LatchkeyApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** The tenant that the path names, with what it says at the moment (at most 5 s old). */
export interface RequestTenant {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  /** publicUrl + `/t/<slug>`, or publicUrl for the tenant at the root. */
  readonly issuer: string;
  readonly rpId: string;
  readonly origins: readonly string[];
  /** Origins of the tenant's active app clients: what CORS lets in. */
  readonly appOrigins: readonly string[];
  readonly policyVersion: number;
  readonly policy: Policy;
}

/** A public P-256 key, exactly these members. */
export interface EcPublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

/** A verified DPoP proof (RFC 9449); its jti is already spent unless the route says `proofSpentBy: 'handler'`. */
export interface Proof {
  /** RFC 7638 thumbprint of the key. */
  readonly jkt: string;
  readonly jwk: EcPublicJwk;
  /** What db/dpop.ts remembers. */
  readonly mark: ProofMark;
}

export interface KeyCaller {
  readonly kind: 'key';
  readonly jkt: string;
  readonly jwk: EcPublicJwk;
}

/** The token endpoint: a proven key; which client it is, the grant finds out. */
export interface ClientCaller {
  readonly kind: 'client';
  readonly jkt: string;
  readonly jwk: EcPublicJwk;
}

export interface CustomerCaller {
  readonly kind: 'customer';
  readonly customerId: string;
  readonly sessionId: string;
  readonly deviceId: string | undefined;
  readonly deviceStatus: DeviceStatus | undefined;
  readonly attestationLevel: AttestationLevel | undefined;
  readonly clientId: string;
  readonly jkt: string;
  /** Of the token, narrowed to reading when the device has been restricted since. */
  readonly scopes: readonly string[];
  /** Of the session, kept back while the customer is frozen. */
  readonly withheld: readonly string[];
  /** Of the customer's row. */
  readonly roles: readonly string[];
  readonly acr: Acr;
  readonly epoch: number;
  /** Of the session's row, which may know more than the token. */
  readonly risk: Risk;
  readonly claims: AccessTokenClaims;
}

export interface MachineCaller {
  readonly kind: 'machine';
  readonly clientId: string;
  readonly jkt: string;
  readonly scopes: readonly string[];
  /** Of the client's row. */
  readonly roles: readonly string[];
  readonly claims: AccessTokenClaims;
}

/** A machine that asks about others' tokens: by its own token, or by a client assertion, which no key is bound to. */
export interface ServiceCaller {
  readonly kind: 'service';
  readonly clientId: string;
}

/** A person of the staff, by the session of a cookie. */
export interface StaffCaller {
  readonly kind: 'staff';
  readonly staffId: string;
  /** What four eyes compare: one person may have two accounts. */
  readonly employeeId: string;
  /** Never empty. */
  readonly roles: readonly StaffRole[];
  readonly staffSessionId: string;
  /** When the person proved to the identity provider who they are. */
  readonly authTimeMs: number;
  readonly name: string;
}

export type Caller =
  | { readonly kind: 'public' }
  | { readonly kind: 'vendor' }
  | { readonly kind: 'gateway' }
  | KeyCaller
  | ClientCaller
  | CustomerCaller
  | MachineCaller
  | ServiceCaller
  /** A service that may still prove itself in its form: the frame judges that before any handler. */
  | { readonly kind: 'unproved' }
  | StaffCaller;

/** RFC 9068 with DESIGN.md section 5's additions; times in seconds. Members after `cnf` are a customer's. */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly client_id: string;
  readonly scope: string;
  readonly tenant: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  readonly cnf: { readonly jkt: string };
  /** RFC 9068 section 2.2.3.1; left out when there are none. */
  readonly roles?: readonly string[];
  readonly sid?: string;
  readonly device_id?: string;
  readonly device_status?: DeviceStatus;
  readonly device_attestation?: AttestationLevel;
  readonly acr?: Acr;
  readonly amr?: readonly string[];
  readonly auth_time?: number;
  readonly risk?: string;
  readonly epoch?: number;
  /** After a recovery: until then less may be done without asking. */
  readonly limited_until?: number;
}

/** What the frame found out; filled in the order tenant, proof, caller. */
export interface RequestFacts {
  tenant?: RequestTenant;
  proof?: Proof;
  caller?: Caller;
  rawBody?: Buffer;
  startedAt: number;
  problemCode?: ErrorCode;
  /** Counts the request no longer as under way; for answers that go on for minutes. */
  leave?: () => void;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Not yet listening when the app was built. */
    readonly operationsDoor: Server;
  }
  interface FastifyContextConfig {
    /** A row of api/access.ts. */
    operationId?: OperationId;
    /** For routes that a plugin adds by itself; others are where their row says. */
    door?: Door | 'both';
    /** Codes this operation may answer beyond those of its kind of caller; they stand in the OpenAPI document. */
    problems?: readonly ErrorCode[];
    /** `oauth`: errors are RFC 6749 section 5.2 objects. */
    errors?: 'problem' | 'oauth';
    /** `handler`: the handler spends `request.proof.mark` in its own statement. */
    proofSpentBy?: 'frame' | 'handler';
  }
  interface FastifyRequest {
    facts: RequestFacts;
    readonly tenant: RequestTenant;
    readonly proof: Proof;
    readonly caller: Caller;
    /** The body's bytes as they came; vendor operations only. */
    readonly rawBody: Buffer;
  }
}

/** For handlers: the caller of the one kind that the access matrix lets through to them. */
export function callerOf<Kind extends Caller['kind']>(
  request: FastifyRequest,
  kind: Kind,
): Extract<Caller, { kind: Kind }> {
  const { caller } = request;
  if (!isKind(caller, kind))
    throw new TypeError(`a ${caller.kind} caller reached a ${kind} handler`);
  return caller;
}

function isKind<Kind extends Caller['kind']>(
  caller: Caller,
  kind: Kind,
): caller is Extract<Caller, { kind: Kind }> {
  return caller.kind === kind;
}
