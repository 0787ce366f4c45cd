/** Which story is told and which desk is open for it. The story stands in the address, so that a reload and a link keep it. */
import { useState } from 'react';
import type { Desk } from '../behind/desks.tsx';
import { DESK_OF, storyOf } from './stories.ts';
import type { StoryId } from './stories.ts';

export interface Told {
  readonly story: StoryId;
  readonly desk: Desk;
  readonly setStory: (story: StoryId) => void;
  readonly setDesk: (desk: Desk) => void;
}

export function useStory(): Told {
  const [story, setStory] = useState(() => storyOf(location.hash));
  const [desk, setDesk] = useState<Desk>(DESK_OF[story]);
  return {
    story,
    desk,
    setDesk,
    setStory: (next) => {
      history.replaceState(null, '', `#${next}`);
      setStory(next);
      setDesk(DESK_OF[next]);
    },
  };
}
