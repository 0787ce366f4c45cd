/**
 * The relay's loops in the worker process: the outbox's deliveries, the reconciler, the sweeper, and the check of the keys beside them. They start
 * without Temporal, and each goes on when another fails.
 */
import { systemClock } from '../adapters/clock.ts';
import { createWebhookCallbacks } from '../adapters/callbacks/webhook.ts';
import { createSmtpSender } from '../adapters/email/smtp.ts';
import { createHttpSmsSender } from '../adapters/sms/signed-http.ts';
import { checkKeys } from '../db/key-canaries.ts';
import { createFreezeLinks } from '../db/freeze-links.ts';
import { createEventPort } from '../db/event-port.ts';
import { createLeadership } from '../db/leadership.ts';
import { messageFacts } from '../db/messages.ts';
import { createOutboxPort } from '../db/outbox-port.ts';
import { backoffMs } from '../db/outbox.ts';
import { createReconciliationPort } from '../db/reconciliation-port.ts';
import { createObjectionLinks, createRecoveryLinks } from '../db/recovery-links.ts';
import { requestMessage } from '../db/recovery-requests.ts';
import { createSweepPort } from '../db/sweeping.ts';
import { createPushRows } from '../db/push.ts';
import { callbackTarget } from '../db/callbacks.ts';
import { createCallbackDelivery } from '../relay/callbacks.ts';
import { createDeliveries } from '../relay/deliveries.ts';
import type { DeliveryDependencies } from '../relay/deliveries.ts';
import { startEventRelay } from '../relay/events.ts';
import { startLoop } from '../relay/loop.ts';
import type { Loop } from '../relay/loop.ts';
import { createMessageDelivery } from '../relay/messages.ts';
import type { MessageDependencies } from '../relay/messages.ts';
import type { RelayMetrics } from '../relay/metrics.ts';
import { createPushDelivery } from '../relay/push.ts';
import { createRecoveryRequestDelivery } from '../relay/recovery-requests.ts';
import { startReconciler } from '../relay/reconciler.ts';
import { startRelay } from '../relay/relay.ts';
import { startSweeper } from '../relay/sweeper.ts';
import { prepareSchedules } from '../temporal/schedules.ts';
import { createRelayMetrics } from '../telemetry/relay-metrics.ts';
import { receiptStore } from './activities.ts';
import { eventSinks } from './event-sinks.ts';
import { createPushSenders } from './push-senders.ts';
import type { PushSenders } from './push-senders.ts';
import { canariesOf } from './parts.ts';
import type { WorkerParts } from './parts.ts';

/** Longer than any delivery's own deadline. */
const LEASE_MS = 30_000;
/** A tenant that was made since the start gets its canaries so much later. */
const CHECK_KEYS_EVERY_MS = 300_000;
/** A Temporal that lost its store has its schedules again so much later. */
const PREPARE_SCHEDULES_EVERY_MS = 300_000;
const TEMPORAL_AGAIN_MS = 5_000;

export function startRelayParts(parts: WorkerParts): { stop(): Promise<void> } {
  const { configuration, log, database, personalData, gateway, instance } = parts;
  const metrics = createRelayMetrics(parts.telemetry.registry, systemClock);
  const rows = createReconciliationPort(database);
  const leadership = createLeadership(configuration.database.url);
  const senders = createPushSenders(configuration.push, database);
  const deliver = createDeliveries({
    calls: gateway,
    rows,
    clock: systemClock,
    deliverMessage: createMessageDelivery({
      facts: (tenantId, channel, payload) =>
        database.tenant(tenantId, (tx) =>
          messageFacts(tx, personalData, { tenantId, channel, payload }),
        ),
      otpCodes: parts.otpCodes,
      freezeLink: freezeLinks(parts),
      objectionLink: objectionLinks(parts),
      sms: createHttpSmsSender({ ...configuration.sms, clock: systemClock }),
      email: createSmtpSender(configuration.email),
    }),
    deliverRecoveryRequest: recoveryRequests(parts),
    ...pushesCallbacksAndReceipts(parts, senders),
  });
  const relay = startRelay({
    outbox: createOutboxPort(database, { claimer: instance, leaseMs: LEASE_MS }),
    failPoint: parts.failPoint,
    deliver,
    backoffMs,
    metrics,
    log,
  });
  const events = startEvents(parts, metrics);
  const reconciler = startReconciler({
    rows,
    leadership,
    metrics,
    log,
    calls: gateway,
    clock: systemClock,
  });
  const sweeps = createSweepPort(database, personalData);
  const sweeper = startSweeper({ sweeps, leadership, metrics, log });
  const keys = startLoop({ name: 'keys', everyMs: CHECK_KEYS_EVERY_MS, metrics, log }, async () => {
    try {
      await checkKeys(database, canariesOf(configuration.keys));
    } catch (error) {
      parts.telemetry.keysChecked.set(0);
      throw error;
    }
    parts.telemetry.keysChecked.set(1);
    return undefined;
  });
  const schedules = startSchedules(parts, metrics);
  return {
    async stop() {
      await Promise.all([
        schedules.stop(),
        relay.stop(),
        events.stop(),
        reconciler.stop(),
        sweeper.stop(),
        keys.stop(),
      ]);
      senders.close();
      await leadership.close();
      log.info({}, 'relay stopped');
    },
  };
}

/** On the page that the API serves; what follows `#` never leaves the browser by itself. */
function freezeLinks({
  configuration,
  kms,
}: WorkerParts): NonNullable<MessageDependencies['freezeLink']> {
  const { publicUrl, tenantAtRoot } = configuration.http;
  const links = createFreezeLinks(kms);
  return ({ tenantId, slug, ...facts }) => {
    const token = links.make(tenantId, facts);
    return `${publicUrl}/freeze.html#${slug === tenantAtRoot ? token : `${slug}.${token}`}`;
  };
}

function objectionLinks({
  configuration,
  kms,
}: WorkerParts): NonNullable<MessageDependencies['objectionLink']> {
  const { publicUrl, tenantAtRoot } = configuration.http;
  const links = createObjectionLinks(kms);
  return ({ tenantId, slug, recoveryId }) => {
    const token = `stop.${links.make(tenantId, recoveryId)}`;
    return `${publicUrl}/recover.html#${slug === tenantAtRoot ? token : `${slug}.${token}`}`;
  };
}

function recoveryRequests({
  configuration,
  database,
  personalData,
  kms,
  otpCodes,
}: WorkerParts): DeliveryDependencies['deliverRecoveryRequest'] {
  const { publicUrl, tenantAtRoot } = configuration.http;
  const links = createRecoveryLinks(kms);
  return createRecoveryRequestDelivery({
    message: (tenantId, requestId) =>
      database.tenant(tenantId, (tx) => requestMessage(tx, personalData, { tenantId, requestId })),
    otpCodes,
    link: ({ tenantId, slug, requestId }) => {
      const token = links.make(tenantId, requestId);
      return `${publicUrl}/recover.html#${slug === tenantAtRoot ? token : `${slug}.${token}`}`;
    },
    sms: createHttpSmsSender({ ...configuration.sms, clock: systemClock }),
    email: createSmtpSender(configuration.email),
  });
}

function pushesCallbacksAndReceipts(
  parts: WorkerParts,
  senders: PushSenders,
): Pick<DeliveryDependencies, 'deliverPush' | 'deliverCallback' | 'sealReceipt'> {
  const { database, personalData, kms } = parts;
  return {
    sealReceipt: receiptStore(parts).seal,
    deliverPush: createPushDelivery({
      rows: createPushRows(database, personalData),
      sender: (tenantId, platform) => senders.of(tenantId, platform),
    }),
    deliverCallback: createCallbackDelivery({
      target: (tenantId, stepUpId) =>
        database.tenant(tenantId, (tx) => callbackTarget(tx, kms, { tenantId, stepUpId })),
      callbacks: createWebhookCallbacks({ clock: systemClock }),
    }),
  };
}

function startEvents(
  { configuration, log, database, instance, failPoint }: WorkerParts,
  metrics: RelayMetrics,
): Loop {
  return startEventRelay({
    events: createEventPort(database, { claimer: instance, leaseMs: LEASE_MS }),
    sinks: eventSinks(configuration.eventSinks, log),
    failPoint,
    backoffMs,
    metrics,
    log,
  });
}

function startSchedules(
  { configuration, connection, instance, log }: WorkerParts,
  metrics: RelayMetrics,
): Loop {
  return startLoop(
    { name: 'schedules', everyMs: PREPARE_SCHEDULES_EVERY_MS, metrics, log },
    async () => {
      try {
        const { namespace } = configuration.temporal;
        await prepareSchedules({ connection, namespace, identity: instance, clock: systemClock });
        return undefined;
      } catch (error) {
        log.warn({ err: error }, 'Temporal does not take the schedules yet');
        return TEMPORAL_AGAIN_MS;
      }
    },
  );
}
