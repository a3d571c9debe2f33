/** What is done to the image before it is shown: operations in order, each with its parameters. */

import { useEffect, useId, useState } from "preact/hooks";
import { type Operation, operations, type Parameter } from "../api.ts";
import { useAsync } from "../async.ts";
import { ORIGINAL, type Step, stepsOf, viewOf } from "../view.ts";
import { ProblemNote } from "./problem.tsx";

type Props = { view: string; onChange: (view: string) => void };

export function Operations({ view, onChange }: Props) {
  const [found, again] = useAsync((signal) => operations(signal), []);
  const [steps, setSteps] = useState<Step[]>(() => stepsOf(view));
  useEffect(() => setSteps(stepsOf(view)), [view]);
  if (found.state === "waiting") return null;
  if (found.state === "failed") return <ProblemNote problem={found.problem} again={again} />;
  const known = found.value.operations;
  const drafted = viewOf(steps);
  const replace = (at: number, values: Record<string, string>) =>
    setSteps(steps.map((step, k) => (k === at ? { ...step, values } : step)));
  return (
    <details class="operations" open={view !== ORIGINAL}>
      <summary>
        <h2>Operations</h2>
        <span class="quiet">{view === ORIGINAL ? "none: the pixels as they are stored" : view}</span>
      </summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onChange(drafted);
        }}
      >
        <ol>
          {steps.map((step, at) => (
            <li key={`${at} ${step.name}`}>
              <StepForm
                step={step}
                operation={known.find(({ name }) => name === step.name)}
                onChange={(values) => replace(at, values)}
                onRemove={() => setSteps(steps.filter((_, k) => k !== at))}
              />
            </li>
          ))}
        </ol>
        <div class="operations-end">
          <select
            aria-label="Add an operation"
            value=""
            onChange={(event) => {
              const name = event.currentTarget.value;
              event.currentTarget.value = "";
              if (name) setSteps([...steps, { name, values: {} }]);
            }}
          >
            <option value="">Add an operation…</option>
            {known.map(({ name, title }) => (
              <option key={name} value={name}>
                {name}: {title}
              </option>
            ))}
          </select>
          <button type="submit" class="button" disabled={drafted === view}>
            Show
          </button>
          {view !== ORIGINAL && (
            <button type="button" class="button" onClick={() => onChange(ORIGINAL)}>
              Back to the stored pixels
            </button>
          )}
          {drafted !== view && <code>{drafted}</code>}
        </div>
      </form>
    </details>
  );
}

type StepProps = {
  step: Step;
  operation: Operation | undefined;
  onChange: (values: Record<string, string>) => void;
  onRemove: () => void;
};

function StepForm({ step, operation, onChange, onRemove }: StepProps) {
  return (
    <fieldset class="operation">
      <legend>{step.name}</legend>
      <p class="quiet">
        <Prose text={operation?.description ?? "This server has no such operation."} />
      </p>
      <div class="parameters">
        {operation?.parameters.map((parameter) => (
          <Field
            key={parameter.name}
            parameter={parameter}
            value={step.values[parameter.name] ?? ""}
            onChange={(value) => onChange({ ...step.values, [parameter.name]: value })}
          />
        ))}
      </div>
      <button type="button" class="chip" onClick={onRemove} aria-label={`Remove ${step.name}`}>
        Remove
      </button>
    </fieldset>
  );
}

/** Text in which what is written as it stands is between backticks. */
function Prose({ text }: { text: string }) {
  return <>{text.split("`").map((part, k) => (k % 2 === 1 ? <code key={part}>{part}</code> : part))}</>;
}

/** So many characters of a description want a broader column. */
const LONG = 180;

type FieldProps = { parameter: Parameter; value: string; onChange: (value: string) => void };

function Field({ parameter, value, onChange }: FieldProps) {
  const { name, type, required } = parameter;
  const id = useId();
  const choices = type === "boolean" ? ["true", "false"] : parameter.choices;
  const change = (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value);
  return (
    <div class={parameter.description.length > LONG ? "parameter wide" : "parameter"}>
      <label for={id}>
        {name}
        {required && <span class="required"> required</span>}
      </label>
      {choices.length > 0 ? (
        <select id={id} aria-describedby={`${id}-meaning`} value={value} required={required} onChange={change}>
          <option value="">{parameter.default ?? ""}</option>
          {choices
            .filter((choice) => choice !== parameter.default)
            .map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
        </select>
      ) : (
        <input
          id={id}
          aria-describedby={`${id}-meaning`}
          type="text"
          inputMode={type === "integer" ? "numeric" : type === "number" ? "decimal" : "text"}
          value={value}
          required={required}
          placeholder={parameter.default ?? (type === "text" ? parameter.written : "")}
          autocomplete="off"
          spellcheck={false}
          onInput={change}
        />
      )}
      <small class="quiet" id={`${id}-meaning`}>
        <Prose text={parameter.description} />
      </small>
    </div>
  );
}
