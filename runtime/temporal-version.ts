/** The Temporal that everything here was measured on. Raise both together with runtime/temporal-cli/go.mod. */
export const TEMPORAL_CLI_VERSION = '1.8.2';
export const TEMPORAL_SERVER_VERSION = '1.31.2';
