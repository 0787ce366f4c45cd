/**
 * The search attributes that workflows move, as temporal/search-attributes.ts names them, which workflow code cannot import (a test
 * compares the two). Temporal keeps them in clear: states, outcomes and times only.
 */
import { defineSearchAttributeKey } from '@temporalio/common';

export const STATE_ATTRIBUTE = defineSearchAttributeKey('LatchkeyState', 'KEYWORD');
export const DEADLINE_ATTRIBUTE = defineSearchAttributeKey('LatchkeyDeadline', 'DATETIME');
export const OUTCOME_ATTRIBUTE = defineSearchAttributeKey('LatchkeyOutcome', 'KEYWORD');
