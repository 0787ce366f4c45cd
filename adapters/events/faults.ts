/** How a sink says why it did not take an event: a status or an error's name, never an address, a message or a body. */
export type TellFault = (reason: string) => void;
