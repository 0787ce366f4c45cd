/** Above the panes: the story picker, what the story tells and how far it has come, and starting over. */
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import { texts } from '../texts/texts.ts';
import { Icon } from '../parts/icons.tsx';
import { Button } from '../parts/parts.tsx';
import { STORIES } from './stories.ts';
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
      <ToggleButtonGroup
        className="stories"
        aria-label={stage.stories.label}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[props.story]}
        onSelectionChange={(keys) => {
          const chosen = STORIES.find((story) => keys.has(story));
          if (chosen !== undefined) props.onStory(chosen);
        }}
      >
        {STORIES.map((story) => (
          <ToggleButton key={story} id={story} className="story">
            {stage.stories[story].name}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
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
      <Button
        size="dense"
        icon="restart"
        title={stage.startOverHint}
        isBusy={props.isStartingOver}
        onPress={props.onStartOver}
      >
        {stage.startOver}
      </Button>
    </header>
  );
}

function stateOf(index: number, done: number) {
  if (index < done) return { 'data-state': 'done' };
  return index === done ? { 'data-state': 'now', 'aria-current': 'step' as const } : {};
}
