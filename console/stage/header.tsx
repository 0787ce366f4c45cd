/** Above the panes: the story picker, what the story tells and how far it has come, and starting over. */
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import { texts } from '../texts/texts.ts';
import { Icon } from '../parts/icons.tsx';
import { Button } from '../parts/parts.tsx';
import { isPayStory, PAY_STORIES } from './stories.ts';
import type { StoryId } from './stories.ts';

export interface HeaderProps {
  readonly story: StoryId;
  readonly stepsDone: number;
  readonly onStory: (story: StoryId) => void;
  readonly onStartOver: () => void;
  readonly isStartingOver: boolean;
}

export function Header(props: HeaderProps) {
  const { stage } = texts;
  const { text, steps } = stage.stories[props.story];
  return (
    <header className="header">
      <h1 className="wordmark">
        <span className="wordmark-mark" aria-hidden="true">
          <Icon name="key" size={18} />
        </span>
        {stage.title} <span>{stage.subtitle}</span>
      </h1>
      <Stories story={props.story} onStory={props.onStory} />
      <Button
        size="dense"
        icon="restart"
        title={stage.startOverHint}
        isBusy={props.isStartingOver}
        onPress={props.onStartOver}
      >
        {stage.startOver}
      </Button>
      {isPayStory(props.story) && <PayStories story={props.story} onStory={props.onStory} />}
      <div className="story-told">
        <p>{text}</p>
        <ol className="story-steps">
          {steps.map((step, index) => (
            <li key={step} {...stateOf(index, props.stepsDone)}>
              <span className="step-mark" aria-hidden="true">
                {index < props.stepsDone ? <Icon name="check" size={12} /> : index + 1}
              </span>
              {step}
              {index < props.stepsDone && <span className="hidden">{stage.stepDone}</span>}
            </li>
          ))}
        </ol>
      </div>
    </header>
  );
}

/** The ways to pay are one story with chapters. */
const CHAPTERS = ['enroll', 'lost-network', 'fraud', 'pay', 'call', 'login', 'lost-phone'] as const;

function Stories({ story, onStory }: Pick<HeaderProps, 'story' | 'onStory'>) {
  const { stage } = texts;
  return (
    <ToggleButtonGroup
      className="stories"
      aria-label={stage.stories.label}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[isPayStory(story) ? 'pay' : story]}
      onSelectionChange={(keys) => {
        const chosen = CHAPTERS.find((chapter) => keys.has(chapter));
        if (chosen !== undefined) onStory(chosen === 'pay' ? FIRST_PAYMENT : chosen);
      }}
    >
      {CHAPTERS.map((chapter) => (
        <ToggleButton key={chapter} id={chapter} className="story">
          {chapter === 'pay' ? stage.pay : stage.stories[chapter].name}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

const FIRST_PAYMENT: StoryId = 'pay-400';

function PayStories({ story, onStory }: Pick<HeaderProps, 'story' | 'onStory'>) {
  const { stage } = texts;
  return (
    <ToggleButtonGroup
      className="stories pay-stories"
      aria-label={stage.payLabel}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[story]}
      onSelectionChange={(keys) => {
        const chosen = PAY_STORIES.find((known) => keys.has(known));
        if (chosen !== undefined) onStory(chosen);
      }}
    >
      {PAY_STORIES.map((known) => (
        <ToggleButton key={known} id={known} className="story">
          {stage.stories[known].name}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

function stateOf(index: number, done: number) {
  if (index < done) return { 'data-state': 'done' };
  return index === done ? { 'data-state': 'now', 'aria-current': 'step' as const } : {};
}
