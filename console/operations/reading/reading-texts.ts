/** Every word of what is for reading: on a customer's page what went on lately and a contact in clear; the audit; what works now. */

export const readingTexts = {
  reveal: {
    act: { phone: 'Show the number', email: 'Show the address' },
    title: {
      phone: 'Show the whole phone number?',
      email: 'Show the whole e-mail address?',
    },
    effects: [
      'It stands here for half a minute, then it is hidden again.',
      'Your name, the time and the reason are written down, and it counts as one of your searches.',
    ],
    reasons: [
      ['call_back', 'To call the customer back'],
      ['confirm_with_caller', 'To confirm it with the caller'],
      ['complaint', 'For a complaint about a message'],
    ] as const,
    none: 'Shown.',
    hide: 'Hide it now',
  },
  ceremonies: {
    title: 'What went on lately',
    empty: 'Nothing yet.',
    kinds: { enrollment: 'Enrollment', step_up: 'Approval', recovery: 'Recovery' },
    open: 'Open the case',
    running: 'under way',
    forbidden: 'For agents and supervisors.',
  },
  audit: {
    nav: 'Audit',
    title: 'Audit',
    text: 'Who did what, the youngest first. It names ids and codes, no customer by name, and nobody can change it. That you look is a line of it, too.',
    forbidden: 'For auditors. Somebody who has that role can look for you.',
    fields: {
      customerId: { label: 'Customer', as: 'cus_…' },
      ceremonyId: { label: 'Ceremony', as: 'cer_…' },
      staffId: { label: 'Member of staff', as: 'stf_…' },
      action: { label: 'Kind of entry', as: 'device.trusted' },
    },
    from: 'From',
    to: 'Until before',
    act: 'Search',
    clear: 'Clear',
    notOfItsForm:
      'One of the fields is not of its form. An id stands in full, as cus_ and 32 letters and digits; a kind of entry is two words with a point; and the time ends after it begins.',
    nothing: 'Nothing is written down that fits. Look for less, or for a longer time.',
    columns: ['When', 'What', 'By', 'Of', 'In detail'],
    more: 'Older ones',
    first: 'From the youngest',
    of: (kind: string, id: string) => `${kind} ${id}`,
    only: (what: string) => `Only what has to do with ${what}`,
    file: {
      title: 'Take it away',
      text: 'Everything that the search above finds, 1,000 entries at most, in one file that the bank signs. Your name stands in it, and the taking is a line of the audit.',
      act: 'Save the file',
      complete: (count: number) => `Saved: ${String(count)} entries, everything that was found.`,
      cut: (count: number) =>
        `Saved: the youngest ${String(count)} entries. There are more: choose a shorter time for the rest.`,
      unavailable: 'The bank’s key cannot sign right now, so there is no file. Try again later.',
    },
  },
  works: {
    nav: 'What works now',
    title: 'What works now',
    text: 'What customers and you can count on at this moment. It is looked at again by itself.',
    asOf: 'as of',
    all: 'Everything works.',
    some: 'Something does not work as it should. What to say meanwhile stands beside it.',
    standings: { works: 'Works', slow: 'Late', down: 'Does not work' },
    waiting: (count: number, since: string) =>
      `${String(count)} ${count === 1 ? 'waits' : 'wait'}, the oldest for ${since}.`,
    undelivered: (count: number) =>
      `${String(count)} could not be handed over. Whoever runs the bank’s systems finds them in operations.`,
    names: {
      api: 'The app’s way to the bank',
      database: 'The bank’s records',
      temporal: 'What has to go on by itself',
      worker: 'What carries it out',
      sms: 'Messages to phones',
      email: 'E-mails',
      push: 'Rings in the app',
      callbacks: 'Answers to the bank’s services',
      events: 'News to the bank’s systems',
      receipts: 'Receipts',
    } as Readonly<Record<string, string>>,
    working: {
      api: 'Customers can log in and use the app.',
      database: 'What was approved or stopped counts at once.',
      temporal: 'Enrollments, approvals and recoveries go on.',
      worker: 'Enrollments, approvals and recoveries go on.',
      sms: 'Codes and notices arrive.',
      email: 'Links and notices arrive.',
      push: 'The app rings when something waits.',
      callbacks: 'Services hear of each end.',
      events: 'Other systems hear what happened.',
      receipts: 'Each approval gets its receipt.',
    } as Readonly<Record<string, string>>,
    instead: {
      temporal:
        'Logging in, using the app, freezing and cutting off go on. Nothing new can be approved, enrolled or recovered: say that it goes on by itself where it stopped.',
      worker:
        'Logging in, using the app, freezing and cutting off go on. Nothing new can be approved, enrolled or recovered: say that it goes on by itself where it stopped.',
      sms: 'Codes come late or not at all. Do not send new ones one after the other: each makes the one before worthless. Call back on a known number where that is enough.',
      email: 'Links come late or not at all. Offer the code by phone where the case allows it.',
      push: 'Nobody needs to be rung: ask the customer to open the app, where it waits.',
      callbacks: 'The bank’s services hear late of an end. They can ask by themselves.',
      events: 'Other systems hear late. Nothing is lost, and what the app shows is true.',
      receipts: 'Approvals count already. Their receipts follow by themselves.',
    } as Readonly<Record<string, string>>,
  },
};
