/** The whole Neuroglancer application; its state stands in the address behind `#!`. */

import "neuroglancer";
import { setupDefaultViewer } from "neuroglancer/unstable/ui/default_viewer_setup.js";
import "./page.css";

setupDefaultViewer();
