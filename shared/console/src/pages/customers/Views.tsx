/* Saved views: open one, save what the list shows now, rename, share, delete. */
import { useState } from "react";
import { Button, Menu, Modal, NativeSelect, TextInput } from "@mantine/core";
import { type UseQueryResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { core } from "~/api/core";
import type { Resource } from "~/api/description";
import { asProblem } from "~/api/problem";
import { type View, viewsQuery } from "~/api/records";
import { Icon } from "~/ui/Icon";
import { type Asked, readView, sameAsked, viewText } from "./filters";
import { plural } from "./names";
import { Trouble } from "~/ui/Trouble";
import classes from "./customers.module.css";

const sharing = [
	{ value: "private", label: "Only me" },
	{ value: "team", label: "My teams" },
	{ value: "all", label: "Everybody" },
] as const;
type Shared = View["shared"];

const NAME_MAX = 100;
const match = (v: View) => `"v${v.version}"`;

function useViewWrites(resource: string) {
	const queries = useQueryClient();
	const fresh = () => queries.invalidateQueries({ queryKey: viewsQuery(resource).queryKey });
	return {
		make: useMutation({
			mutationFn: async (v: { name: string; shared: Shared; query: string }) => (await core.post<View>("/v1/views", { resource, ...v })).data,
			onSuccess: fresh,
		}),
		change: useMutation({
			mutationFn: ({ view, ...to }: { view: View; name?: string; shared?: Shared; query?: string }) => core.patch<View>(`/v1/views/${view.id}`, to, match(view)),
			onSettled: fresh,
		}),
		remove: useMutation({ mutationFn: (view: View) => core.remove(`/v1/views/${view.id}`), onSuccess: fresh }),
	};
}

function NameForm({ first, act, pending, problem, button }: { first: { name: string; shared: Shared }; act: (to: { name: string; shared: Shared }) => void; pending: boolean; problem: unknown; button: string }) {
	const [name, setName] = useState(first.name);
	const [shared, setShared] = useState<Shared>(first.shared);
	const at = problem === null ? undefined : asProblem(problem).at("/name");
	return (
		<form
			className={classes.editor}
			onSubmit={(e) => {
				e.preventDefault();
				act({ name: name.trim(), shared });
			}}
		>
			{problem !== null && at === undefined && <Trouble problem={problem} />}
			<TextInput label="Name" data-autofocus required maxLength={NAME_MAX} value={name} error={at} onChange={(e) => setName(e.currentTarget.value)} />
			<NativeSelect
				label="Who sees it"
				description="Others see it only if they may see every field that it names."
				value={shared}
				data={sharing.map((s) => ({ ...s }))}
				onChange={(e) => setShared(e.currentTarget.value as Shared)}
			/>
			<Button type="submit" loading={pending} disabled={name.trim() === ""}>
				{button}
			</Button>
		</form>
	);
}

type Dialog = "none" | "save" | "rename" | "delete";

export function Views({
	resource,
	asked,
	view,
	views,
	open,
}: {
	resource: Resource;
	asked: Asked;
	view: View | undefined;
	views: UseQueryResult<readonly View[]>;
	open: (id: string | null) => void;
}) {
	const [dialog, setDialog] = useState<Dialog>("none");
	const { make, change, remove } = useViewWrites(resource.name);
	const close = () => {
		setDialog("none");
		make.reset();
		change.reset();
		remove.reset();
	};
	const changed = view !== undefined && !sameAsked(asked, readView(view.query));
	const group = (mine: boolean) => (views.data ?? []).filter((v) => v.mine === mine);
	return (
		<>
			{changed && view.mine && (
				<Button variant="light" loading={change.isPending} onClick={() => change.mutate({ view, query: viewText(asked) }, { onSuccess: () => open(view.id) })}>
					Save changes to “{view.name}”
				</Button>
			)}
			<Menu position="bottom-end" width={280}>
				<Menu.Target>
					<Button variant="default" rightSection={<Icon name="down" size={14} />}>
						Views
					</Button>
				</Menu.Target>
				<Menu.Dropdown className={classes.menu ?? ""}>
					<Menu.Item onClick={() => open(null)}>All {plural(resource.name).toLowerCase()}</Menu.Item>
					{([true, false] as const).map(
						(mine) =>
							group(mine).length > 0 && (
								<div key={String(mine)}>
									<Menu.Label>{mine ? "My views" : "Shared with me"}</Menu.Label>
									{group(mine).map((v) => (
										<Menu.Item key={v.id} leftSection={v.id === view?.id ? <Icon name="check" size={15} /> : null} onClick={() => open(v.id)}>
											{v.name}
										</Menu.Item>
									))}
								</div>
							),
					)}
					<Menu.Divider />
					<Menu.Item leftSection={<Icon name="plus" size={15} />} onClick={() => setDialog("save")}>
						Save this list as a view…
					</Menu.Item>
					{view?.mine === true && (
						<>
							<Menu.Item onClick={() => setDialog("rename")}>Rename or share…</Menu.Item>
							<Menu.Item leftSection={<Icon name="trash" size={15} />} onClick={() => setDialog("delete")}>
								Delete this view…
							</Menu.Item>
						</>
					)}
				</Menu.Dropdown>
			</Menu>
			{(views.error ?? (dialog === "none" ? change.error : null)) !== null && <Trouble problem={views.error ?? change.error} again={() => void views.refetch()} />}
			<Modal opened={dialog === "save"} onClose={close} title="Save as a view" closeButtonProps={{ "aria-label": "Close" }}>
				<NameForm
					first={{ name: "", shared: "private" }}
					button="Save the view"
					pending={make.isPending}
					problem={make.error}
					act={(to) =>
						make.mutate(
							{ ...to, query: viewText(asked) },
							{
								onSuccess: (v) => {
									close();
									open(v.id);
								},
							},
						)
					}
				/>
			</Modal>
			<Modal opened={dialog === "rename" && view !== undefined} onClose={close} title="Rename or share" closeButtonProps={{ "aria-label": "Close" }}>
				{view !== undefined && (
					<NameForm
						first={view}
						button="Save"
						pending={change.isPending}
						problem={change.error}
						act={(to) => change.mutate({ view, ...to }, { onSuccess: close })}
					/>
				)}
			</Modal>
			<Modal opened={dialog === "delete" && view !== undefined} onClose={close} title={`Delete the view “${view?.name}”?`} closeButtonProps={{ "aria-label": "Close" }}>
				{view !== undefined && (
					<div className={classes.editor}>
						{remove.error !== null && <Trouble problem={remove.error} />}
						<p>The records stay as they are; only the view goes{view.shared === "private" ? "" : ", also for those it is shared with"}.</p>
						<div className={classes.buttons}>
							<Button variant="default" onClick={close}>
								Keep it
							</Button>
							<Button
								color="red.9"
								loading={remove.isPending}
								onClick={() =>
									remove.mutate(view, {
										onSuccess: () => {
											close();
											open(null);
										},
									})
								}
							>
								Delete the view
							</Button>
						</div>
					</div>
				)}
			</Modal>
		</>
	);
}
