import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startInbox } from '../../runtime/inbox.ts';
import type { Inbox } from '../../runtime/inbox.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { SIGNATURE_HEADER, signBody } from '../../runtime/vendor-signature.ts';

const secret = 'the inbox secret of this test';
const clock = { nowMs: () => Date.now() };

let inbox: Inbox;
beforeEach(async () => {
  inbox = await startInbox({
    port: 0,
    smtpPort: await findFreePort(),
    smsSecret: secret,
    clock,
    onError: (error) => {
      throw error;
    },
  });
});
afterEach(() => inbox.stop());

const sendSms = async (message: unknown, key = secret) => {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  const answer = await fetch(inbox.smsUrl, {
    method: 'POST',
    headers: { [SIGNATURE_HEADER]: signBody({ secret: key, body }, Date.now()) },
    body,
  });
  return { status: answer.status, body: await answer.json() };
};

describe('an SMS', () => {
  const sms = { to: '+4915112345678', text: 'Your code is 123456', reference: 'out_1' };

  test('arrives once, however often the same call is made', async () => {
    expect(await sendSms(sms)).toEqual({ status: 202, body: { reference: 'out_1' } });
    expect(await sendSms(sms)).toEqual({ status: 200, body: { reference: 'out_1' } });
    expect(inbox.messages()).toEqual([
      expect.objectContaining({ ...sms, channel: 'sms', position: 1 }),
    ]);
  });

  test('with a reference that was used for another text is refused', async () => {
    await sendSms(sms);
    expect((await sendSms({ ...sms, text: 'other' })).status).toBe(409);
    expect(inbox.messages()).toHaveLength(1);
  });

  test('signed with another secret is refused', async () => {
    expect((await sendSms(sms, 'not the secret')).status).toBe(401);
    expect(inbox.messages()).toHaveLength(0);
  });

  test.each([
    ['{'],
    ['[]'],
    ['null'],
    ['{"to":"+49151"}'],
    ['{"to":1,"text":"a","reference":"b"}'],
  ])('of the form %s is refused', async (body) => {
    expect((await sendSms(body)).status).toBe(400);
  });

  test('of more than 64 KiB is refused', async () => {
    expect((await sendSms({ ...sms, text: 'x'.repeat(70_000) })).status).toBe(413);
  });
});

describe('an e-mail', () => {
  const mail = {
    from: 'Latchkey Bank <bank@latchkey.example>',
    to: 'ada@example.org',
    subject: 'Ihr Code für die Prüfung',
    text: 'Der Code lautet 654321',
    html: '<p>Der Code lautet <b>654321</b></p>',
    messageId: '<out_2@latchkey.example>',
  };

  test('arrives over SMTP with subject, text and HTML, once for one Message-ID', async () => {
    const transport = createTransport(inbox.smtpUrl);
    await transport.sendMail(mail);
    await transport.sendMail(mail);
    transport.close();
    expect(inbox.messages()).toEqual([
      expect.objectContaining({
        channel: 'email',
        to: mail.to,
        from: '"Latchkey Bank" <bank@latchkey.example>',
        subject: mail.subject,
        text: expect.stringContaining('654321') as string,
        html: expect.stringContaining('<b>654321</b>') as string,
        reference: mail.messageId,
      }),
    ]);
  });
});

describe('the list', () => {
  test('is streamed: what is there first, then what arrives', async () => {
    await sendSms({ to: '+491', text: 'first', reference: 'a' });
    const answer = await fetch(`${inbox.url}/messages/stream`);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const readUntil = async (wanted: string) => {
      while (!text.includes(wanted)) text += (await reader?.read())?.value ?? '';
    };
    await readUntil('"text":"first"');
    await sendSms({ to: '+491', text: 'second', reference: 'b' });
    await readUntil('"text":"second"');
    await reader?.cancel();
    expect(text).toMatch(
      /id: 1\nevent: message\ndata: .*first.*\n\nid: 2\nevent: message\ndata: .*second/,
    );
  });

  test('can be emptied', async () => {
    await sendSms({ to: '+491', text: 'first', reference: 'a' });
    expect((await fetch(`${inbox.url}/messages`, { method: 'DELETE' })).status).toBe(204);
    expect(await (await fetch(`${inbox.url}/messages`)).json()).toEqual({ messages: [] });
  });

  test('is not given to a page that reached us under a foreign name', async () => {
    const { request } = await import('node:http');
    const status = await new Promise<number | undefined>((resolve) => {
      request(`${inbox.url}/messages`, { headers: { host: 'evil.example' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).end();
    });
    expect(status).toBe(421);
  });
});

test('a taken port is named with its holder', async () => {
  const port = Number(new URL(inbox.url).port);
  await expect(startInbox({ port, smtpPort: 0, smsSecret: secret, clock })).rejects.toThrow(
    new RegExp(`port ${port}, wanted for the inbox, is held by .*\\(process ${process.pid}\\)`),
  );
});
