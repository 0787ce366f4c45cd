import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_LOCALE,
  isTemplate,
  LOCALES,
  nearestLocale,
  render,
  TEMPLATES,
} from '../../domain/texts/index.ts';
import { actionLine } from '../../domain/texts/action-line.ts';
import { displayOf } from '../../domain/step-up-texts.ts';
import type { TemplateValues } from '../../domain/texts/index.ts';

const bank = 'Demo Bank';
const samples: TemplateValues = {
  enrollment_code: { bank, code: '012345', minutes: 5 },
  email_code: { bank, code: '012345', minutes: 5 },
  enrollment_reminder: { bank, hours: 48 },
  enrollment_completed: { bank, device: 'Pixel 12' },
  session_cut_off: { bank },
  hold_released: { bank },
  session_ended: { bank },
  device_stopped: { bank },
  device_resumed: { bank },
  passkey_removed: { bank },
  step_up_waiting: { bank },
  step_up_code: { bank, code: '012345', minutes: 5, action: 'Pay 40,000.00 NZD to Kiri Smith' },
  step_up_not_me: { bank },
  customer_frozen: { bank },
  freeze_lifted: { bank },
  device_reported: { bank },
  report_lifted: { bank },
  freeze_code: { bank, code: '012345', minutes: 5 },
  recovery_code: { bank, code: '012345', minutes: 15 },
  recovery_opened: { bank },
  recovery_cooling: { bank },
  recovery_ready: { bank },
  recovery_completed: { bank },
  recovery_ended: { bank },
};
/** Of GSM 03.38 what both languages need, each one septet: English keeps to ASCII by itself. */
const GSM_LETTERS = /^[\x20-\x5a_a-zÄÖÜßäöü§à]+$/;
const everywhere = LOCALES.flatMap((locale) => TEMPLATES.map((template) => ({ locale, template })));

describe('customer-facing texts', () => {
  it.each(everywhere)(
    'renders $template in $locale without a placeholder left',
    ({ locale, template }) => {
      const rendered = render(template, locale, samples[template]);
      for (const text of Object.values(rendered)) {
        expect(text).not.toMatch(/[{}]|undefined|null|NaN/);
        expect(text.trim()).not.toBe('');
      }
      expect(rendered.subject).not.toContain('\n');
    },
  );

  it.each(everywhere)(
    'uses every value that $template is given in $locale',
    ({ locale, template }) => {
      const { sms, subject, text } = render(template, locale, samples[template]);
      for (const value of Object.values(samples[template])) {
        expect(sms).toContain(String(value));
        expect(`${subject}\n${text}`).toContain(String(value));
      }
    },
  );

  it.each(everywhere)(
    'keeps the SMS of $template in $locale to two plain parts and free of links',
    ({ locale, template }) => {
      const { sms, text } = render(template, locale, samples[template]);
      expect(sms).toMatch(GSM_LETTERS);
      // What a step-up says is as long as the action is.
      const limit = template === 'step_up_code' ? 459 : 306;
      expect(sms.length).toBeLessThanOrEqual(limit);
      expect(`${sms} ${text}`).not.toMatch(/https?:|www\./);
    },
  );

  it.each(LOCALES)(
    'says with every code in %s what it is for and that the bank never asks',
    (locale) => {
      const words = {
        en: [
          /code to (set up|confirm|approve|freeze|recover)/,
          'never asks for it',
          'will ever ask you for it',
        ],
        de: [
          /Code, um .*(einzurichten|bestätigen|freizugeben|einzufrieren|wiederherzustellen)/,
          'fragt nie danach',
          'je danach',
        ],
      } as const;
      const [purpose, neverAsks, nobodyAsks] = words[locale];
      for (const template of [
        'enrollment_code',
        'email_code',
        'step_up_code',
        'freeze_code',
        'recovery_code',
      ] as const) {
        const { sms, text } = render(template, locale, samples[template]);
        expect(sms).toMatch(purpose);
        expect(sms).toContain(neverAsks);
        expect(text).toContain(nobodyAsks);
      }
    },
  );

  it('never lets a value write a placeholder, a line or a header of its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (device) => {
        const { sms, text } = render('enrollment_completed', 'en', { bank: '{device}', device });
        const { sms: plainSms, text: plainText } = render('enrollment_completed', 'en', {
          bank: '{device}',
          device: 'x',
        });
        expect(sms).not.toMatch(/\p{Cc}/u);
        expect(sms.startsWith('{device}:')).toBe(true);
        expect(text.split('\n').length).toBe(plainText.split('\n').length);
        expect(sms.length - plainSms.length).toBeLessThanOrEqual(Math.max(0, device.length));
      }),
    );
  });

  it('refuses to render without a value', () => {
    // What a caller without types could do.
    const incomplete = { bank } as TemplateValues['enrollment_code'];
    expect(() => render('enrollment_code', 'en', incomplete)).toThrow(TypeError);
  });

  it('falls back from a region to its language, then to the default', () => {
    expect(nearestLocale('en-GB')).toBe('en');
    expect(nearestLocale('EN')).toBe('en');
    expect(nearestLocale('de-CH')).toBe('de');
    expect(nearestLocale('tlh')).toBe(DEFAULT_LOCALE);
    expect(nearestLocale('')).toBe(DEFAULT_LOCALE);
  });

  it('knows its templates by name', () => {
    expect(isTemplate('email_code')).toBe(true);
    expect(isTemplate('toString')).toBe(false);
  });
});

describe('an action in one line', () => {
  it('names what happens, the account and the reference, each once, and cuts nothing off', () => {
    const action = {
      type: 'payment',
      amount: '40000.00',
      currency: 'NZD',
      payee: { name: 'Mere Kahu', account: '12-3456-7890123-00' },
      reference: 'Invoice 7',
    };
    expect(actionLine(displayOf(action, 'en', 'Payments'))).toBe(
      'Pay 40,000.00 NZD to Mere Kahu; Account: 12-3456-7890123-00; Reference: Invoice 7',
    );
    expect(actionLine(displayOf(action, 'de-AT', 'Payments'))).toBe(
      '40.000,00 NZD an Mere Kahu zahlen; Konto: 12-3456-7890123-00; Verwendungszweck: Invoice 7',
    );
  });
});
