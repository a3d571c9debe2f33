/** The description of the REST part, to read and to try out. */

import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

SwaggerUIBundle({
  dom_id: "#reference",
  url: "/api/openapi.json",
  deepLinking: true,
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
