/**
 * Amazon Rekognition Face Liveness through its SDK: a session, its result, then CompareFaces of two objects in the bank's own S3, the face that the
 * session saw and the one enrolled at proofing. No bytes of a picture are sent from here or kept: what AWS answers beside the names is dropped.
 */
import {
  CompareFacesCommand,
  CreateFaceLivenessSessionCommand,
  GetFaceLivenessSessionResultsCommand,
  RekognitionClient,
  RekognitionServiceException,
  SessionNotFoundException,
} from '@aws-sdk/client-rekognition';
import type { GetFaceLivenessSessionResultsResponse } from '@aws-sdk/client-rekognition';
import { createHash } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { LivenessBinding, LivenessReading, LivenessVerdict } from '../../domain/liveness.ts';
import type { LivenessChecker } from '../../domain/ports.ts';

export interface RekognitionOptions {
  readonly region: string;
  /** Where the bank keeps the faces enrolled at proofing, each under its handle. */
  readonly referenceBucket: string;
  /** Where sessions leave the face they saw; without it AWS would send its bytes here. */
  readonly outputBucket: string;
  /** Encrypts what sessions leave there. */
  readonly kmsKeyId?: string;
  /** Of a server that speaks the protocol; AWS's own when left out. */
  readonly endpoint?: string;
  readonly clock: Clock;
  /** Five seconds when left out, with the SDK's own repetitions; tests shorten it. */
  readonly timeoutMs?: number;
}

/** A session's life, as CreateFaceLivenessSession documents it. */
const SESSION_SECONDS = 3 * 60;
const TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_ATTEMPTS = 2;
/** Light catches what movement alone lets pass. The app could ask for less, so the result is asked as well. */
const CHALLENGE = 'FaceMovementAndLightChallenge';
/** No tenant's policy may accept less (RECOVERY_BOUNDS): what AWS doubts so much is no living person. */
const ALIVE_FROM = 50;
const HANDLE = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;

/** "Common errors" of AWS and those of the three calls that go away by themselves, or once somebody gives the machine its role back. */
const PASSING: ReadonlySet<string> = new Set([
  'ExpiredTokenException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestExpired',
  'RequestTimeout',
  'ServiceQuotaExceededException',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Credentials come from where the SDK looks for them: the environment, the task's or the machine's role. */
export function createRekognitionLivenessChecker(options: RekognitionOptions): LivenessChecker {
  const { region, endpoint, clock, timeoutMs = TIMEOUT_MS } = options;
  const client = new RekognitionClient({
    region,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: timeoutMs },
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  const sent = () => ({ abortSignal: AbortSignal.timeout(timeoutMs) });
  return {
    startSession: async ({ expiresInSeconds, ...check }) => {
      const askedAtMs = clock.nowMs();
      const command = new CreateFaceLivenessSessionCommand(sessionOf(options, check));
      const { SessionId } = await called(() => client.send(command, sent()));
      if (SessionId === undefined) throw refused('session');
      const seconds = Math.min(SESSION_SECONDS, expiresInSeconds);
      return {
        vendorSession: SessionId,
        clientParameters: { sessionId: SessionId, region },
        expiresAtMs: askedAtMs + seconds * 1000,
      };
    },
    readResult: async ({ referenceImageId, ...binding }) => {
      const result = await called(() => resultOf(client, binding, sent()));
      switch (result?.Status) {
        case 'CREATED':
        case 'IN_PROGRESS':
          return { status: 'pending' };
        case 'EXPIRED':
        case undefined:
          return { status: 'expired' };
        case 'FAILED':
          return verdict(binding, { outcome: 'failed', livenessConfidence: 0 });
        case 'SUCCEEDED':
          break;
        default:
          throw refused('status that is known');
      }
      if (result.SessionId !== binding.vendorSession) throw refused('result of this session');
      const livenessConfidence = percentage(result.Confidence);
      if (livenessConfidence < ALIVE_FROM)
        return verdict(binding, { outcome: 'failed', livenessConfidence });
      if (result.ReferenceImage === undefined || result.Challenge?.Type !== CHALLENGE)
        return verdict(binding, { outcome: 'low_confidence', livenessConfidence });
      const seen = seenFace(options, binding, result);
      const matchConfidence = await called(() => {
        const command = new CompareFacesCommand({
          SourceImage: { S3Object: enrolledFace(options, referenceImageId) },
          TargetImage: { S3Object: seen },
          // Every figure is wanted: the policy judges it.
          SimilarityThreshold: 0,
        });
        return client.send(command, sent());
      }).then(({ FaceMatches = [] }) => percentage(FaceMatches[0]?.Similarity));
      const outcome = matchConfidence > 0 ? 'passed' : 'failed';
      return verdict(binding, { outcome, livenessConfidence, matchConfidence });
    },
  };
}

/** The same check finds the same session, another one never does; also where its face is put. Letters that a token may have, 64 of them. */
function tokenOf({ reference, caseId, newJkt }: Omit<LivenessBinding, 'vendorSession'>): string {
  return createHash('sha256')
    .update(JSON.stringify([reference, caseId, newJkt]))
    .digest('hex');
}

function sessionOf(
  { outputBucket, kmsKeyId }: RekognitionOptions,
  check: Omit<LivenessBinding, 'vendorSession'>,
) {
  const token = tokenOf(check);
  return {
    ClientRequestToken: token,
    ...(kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId }),
    Settings: {
      AuditImagesLimit: 0,
      OutputConfig: { S3Bucket: outputBucket, S3KeyPrefix: token },
      ChallengePreferences: [{ Type: CHALLENGE } as const],
    },
  };
}

/** undefined: AWS knows no such session any more. */
async function resultOf(
  client: RekognitionClient,
  { vendorSession }: LivenessBinding,
  sent: { readonly abortSignal: AbortSignal },
): Promise<GetFaceLivenessSessionResultsResponse | undefined> {
  try {
    const command = new GetFaceLivenessSessionResultsCommand({ SessionId: vendorSession });
    return await client.send(command, sent);
  } catch (error) {
    if (error instanceof SessionNotFoundException) return undefined;
    throw error;
  }
}

/** The face lies where this check's session was told to put it: another check's lies elsewhere. */
function seenFace(
  { outputBucket }: RekognitionOptions,
  binding: LivenessBinding,
  { ReferenceImage }: GetFaceLivenessSessionResultsResponse,
): { readonly Bucket: string; readonly Name: string } {
  const { Bucket, Name } = ReferenceImage?.S3Object ?? {};
  const isOurs = Bucket === outputBucket && Name?.startsWith(tokenOf(binding)) === true;
  if (!isOurs) throw refused('face of this check');
  return { Bucket, Name };
}

function enrolledFace({ referenceBucket }: RekognitionOptions, handle: string) {
  if (!HANDLE.test(handle)) throw refused('usable handle of the enrolled face');
  return { Bucket: referenceBucket, Name: handle };
}

function verdict(
  binding: LivenessBinding,
  finding: Pick<LivenessVerdict, 'outcome' | 'livenessConfidence'> & {
    readonly matchConfidence?: number;
  },
): LivenessReading {
  const evidenceId = `rekognition:${binding.vendorSession}`;
  const { reference, vendorSession, caseId, newJkt } = binding;
  const bound = { reference, vendorSession, caseId, newJkt };
  return { status: 'done', verdict: { matchConfidence: null, ...bound, ...finding, evidenceId } };
}

const percentage = (value: number | undefined): number =>
  value !== undefined && value >= 0 && value <= 100 ? value : 0;

async function called<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LatchkeyError) throw cause;
    const isRefusal =
      cause instanceof RekognitionServiceException &&
      cause.$fault === 'client' &&
      !PASSING.has(cause.name);
    // By its name alone: a message of AWS may quote what it was sent.
    const name = cause instanceof Error ? cause.name : 'unknown';
    throw new LatchkeyError(isRefusal ? 'vendor_refused' : 'vendor_unavailable', {
      cause: new Error(`Rekognition: ${name}`),
    });
  }
}

const refused = (missing: string): LatchkeyError =>
  new LatchkeyError('vendor_refused', { cause: new Error(`Rekognition gives no ${missing}`) });
