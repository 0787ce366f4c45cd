import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../adapters/clock.ts';
import { createSmtpSender } from '../../../adapters/email/smtp.ts';
import { startInbox } from '../../../runtime/inbox.ts';
import type { Inbox } from '../../../runtime/inbox.ts';

const from = 'Demo Bank <no-reply@bank.example>';
const message = {
  to: 'zoe@mail.example',
  subject: 'Grüße',
  text: 'Your code is 123456.',
  reference: 'out_1',
};

describe('the e-mail adapter and the inbox', () => {
  let inbox: Inbox;
  beforeAll(async () => {
    inbox = await startInbox({ port: 0, smtpPort: 0, smsSecret: 'unused', clock: systemClock });
  });
  afterAll(() => inbox.stop());
  beforeEach(() => {
    inbox.clear();
  });

  it('delivers subject, text and HTML from the sender of the configuration', async () => {
    await createSmtpSender({ smtpUrl: inbox.smtpUrl, from }).send({
      ...message,
      html: '<p>Your code</p>',
    });
    const [mail] = inbox.messages();
    expect(mail).toMatchObject({ channel: 'email', to: message.to, subject: message.subject });
    expect(mail?.text.trim()).toBe(message.text);
    expect(mail?.html).toContain('Your code');
    expect(mail?.from).toContain('no-reply@bank.example');
  });

  it('gives a repeated reference the same Message-ID, so that it arrives once', async () => {
    const sender = createSmtpSender({ smtpUrl: inbox.smtpUrl, from });
    await sender.send(message);
    await sender.send(message);
    expect(inbox.messages()).toMatchObject([{ reference: '<out_1@bank.example>' }]);
  });
});

describe('the e-mail adapter and a mail server in trouble', () => {
  let close: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await close?.();
    close = undefined;
  });

  async function smtpThatRefusesRecipients(responseCode: number) {
    const seen: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      onRcptTo: ({ address }, _session, done) => {
        seen.push(address);
        done(Object.assign(new Error('no'), { responseCode }));
      },
    });
    const url = await listenOn(server.server);
    close = () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    return { url, seen };
  }

  it.each([
    [550, 'vendor_refused'],
    [553, 'vendor_refused'],
    [421, 'vendor_unavailable'],
    [450, 'vendor_unavailable'],
  ])('tells a reply of %i as %s', async (reply, code) => {
    const { url } = await smtpThatRefusesRecipients(reply);
    await expect(createSmtpSender({ smtpUrl: url, from }).send(message)).rejects.toMatchObject({
      code,
    });
  });

  it('never turns one recipient into several', async () => {
    const { url, seen } = await smtpThatRefusesRecipients(550);
    const to = 'a@mail.example, b@mail.example';
    await expect(
      createSmtpSender({ smtpUrl: url, from }).send({ ...message, to }),
    ).rejects.toMatchObject({
      name: 'LatchkeyError',
    });
    expect(seen.length).toBeLessThanOrEqual(1);
  });

  it('stops waiting for a server that does not greet, and names nobody in the error', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => sockets.add(socket));
    const url = await listenOn(mute);
    close = () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        mute.close(() => resolve());
      });
    const error: unknown = await createSmtpSender({ smtpUrl: url, from, timeoutMs: 100 })
      .send(message)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'vendor_unavailable' });
    expect(
      error instanceof Error ? `${String(error.cause)} ${error.stack ?? ''}` : '',
    ).not.toContain(message.to);
  });

  it('may be tried again when nobody listens', async () => {
    const gone = createServer();
    const url = await listenOn(gone);
    await new Promise<void>((resolve) => void gone.close(() => resolve()));
    await expect(createSmtpSender({ smtpUrl: url, from }).send(message)).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
  });
});

async function listenOn(server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  return `smtp://127.0.0.1:${String(address.port)}`;
}
