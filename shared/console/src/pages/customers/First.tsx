/* /customers: the first list that the actor may see. */
import { Navigate } from "@tanstack/react-router";
import { useMay } from "~/app/actor";

export function First() {
	const may = useMay();
	return <Navigate to="/customers/$resource" params={{ resource: may("people.read") ? "people" : "organizations" }} search={{}} replace />;
}
