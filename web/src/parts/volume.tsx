/** A live Neuroglancer view of a volume. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Description, type Representation, statistics } from "../api.ts";
import { useAsync } from "../async.ts";
import { neuroglancerAddress, neuroglancerState } from "../neuroglancer/state.ts";
import { Waiting } from "./problem.tsx";

type Props = { image: Description; volume: Representation; onAddress: (address: string | null) => void };

export function Volume({ image, volume, onAddress }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [measured] = useAsync((signal) => statistics(image.path, signal), [image.path]);
  const [address, setAddress] = useState<string | null>(null);

  useLayoutEffect(() => {
    if (measured.state === "waiting" || !frame.current) return;
    // Without statistics there is still the volume to see, in the range of its own window.
    const channels = measured.state === "done" ? measured.value.channels : [];
    const { clientWidth: width, clientHeight: height } = frame.current;
    const state = neuroglancerState(image, volume, channels, location.origin, { width, height });
    setAddress(neuroglancerAddress(state));
    onAddress(neuroglancerAddress(state));
    return () => onAddress(null);
  }, [measured, image, volume, onAddress]);

  return (
    <div class="volume" ref={frame}>
      {address === null ? (
        <Waiting what="Looking at the range of intensities" />
      ) : (
        <iframe src={address} title={`${image.name} in Neuroglancer`} allow="fullscreen; clipboard-write" />
      )}
    </div>
  );
}
